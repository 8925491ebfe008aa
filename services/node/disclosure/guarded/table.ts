/**
 * A table as an algorithm sees it that gets aggregates of it, in place of rows or beside them. Runs
 * in the sandbox.
 * @module
 */
import type { Aggregates, Table } from "../../algorithms/api.ts";
import type { DataAccess } from "../decision.ts";

/** The owner's rules do not let the algorithm see what it asked for. */
export class GuardedError extends Error {
  override name = "GuardedError";
}

/** What may be asked of the database `label`; `ask` carries it to the node's side and back. */
export function aggregatesOf(
  label: string,
  ask: (question: Record<string, unknown>) => Promise<unknown>,
): Aggregates {
  function send<Answer>(question: Record<string, unknown>): Promise<Answer> {
    return ask({ label, ...question }) as Promise<Answer>;
  }
  return {
    describe: () => send({ ask: "describe" }),
    groups: (columns, options) => send({ ask: "groups", columns, ...options }),
    moments: (columns, { where, by = [] } = {}) =>
      send({ ask: "groups", columns: by, sums: columns, where }),
    crossProducts: (terms, options) => send({ ask: "crossProducts", terms, ...options }),
    riskSets: (time, event, options) => send({ ask: "riskSets", time, event, ...options }),
    quantileCounts: (column, thresholds, options) =>
      send({ ask: "quantileCounts", column, thresholds, ...options }),
  };
}

/** In place of the rows: all of it throws, and says by which rule. */
export function tableWithoutRows(
  label: string,
  { access, profile }: { access: DataAccess; profile: string | undefined },
): Table {
  function refuse(): never {
    throw new GuardedError(
      access === "none"
        ? `This method is described with rows: "none", so it gets no rows of the database "${label}".`
        : `This algorithm gets no rows of the database "${label}": under the owner's rules ` +
          `(disclosure${
            profile === undefined ? "" : `, profile ${profile}`
          }) algorithms that are neither ` +
          "the node's own nor listed in disclosure.trusted get aggregates of it: describe(), " +
          "groups(), moments(), crossProducts(), riskSets(), quantileCounts(). The owner can list " +
          "this algorithm there.",
    );
  }
  return {
    get columns() {
      return refuse();
    },
    get length() {
      return refuse();
    },
    column: refuse,
    numeric: refuse,
    floats: refuse,
    levels: refuse,
    booleans: refuse,
    dates: refuse,
  };
}
