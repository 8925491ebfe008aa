/**
 * What a run in the sandbox is given of the tables it wants.
 * @module
 */
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { NodeConfig } from "../config/config.ts";
import { forSandbox, type WantedDatabase } from "../data/databases.ts";
import type { Tables } from "../data/tables.ts";
import type { Exit } from "../disclosure/exit.ts";
import type { LedgerOfRuns } from "../disclosure/ledger/ledger_of_runs.ts";
import { requirePlainQueries } from "../disclosure/plain_query.ts";
import type { RunSpec } from "./run_spec.ts";

export interface ReadingOptions {
  config: Pick<NodeConfig, "disclosure" | "limits">;
  tables: Tables;
  /** What left before; undefined where the site has no rules. */
  ledger: LedgerOfRuns | undefined;
}

interface Asked {
  ruled: Exit;
  wanted: WantedDatabase[];
}

export interface Read {
  databases: RunSpec["databases"];
  /** What may leave of the run, given what is read. */
  exit: Exit;
  mayTell?: RunSpec["mayTell"];
}

/**
 * Returns a function that reads what a run wants, within what its exit lets it see. It throws a
 * `CannotStart` when that cannot be read, or may not, or not in time.
 */
export function createReading(
  { config, tables, ledger }: ReadingOptions,
): (dispatch: Dispatch, asked: Asked, signal: AbortSignal) => Promise<Read> {
  return async (dispatch, { ruled, wanted }, signal) => {
    if (ruled.rules && config.disclosure?.queries !== "any") requirePlainQueries(wanted);
    // One that gets none hears of what, by name.
    const databases = ruled.access === "none"
      ? wanted.map(({ database: { label } }) => ({ label, type: "columns" as const, path: "" }))
      : await forSandbox(wanted, tables, { ...config.limits, signal });
    const read = databases.map((columns, index) => ({ columns, wanted: wanted[index]! }));
    const known = ruled.rules !== null && ruled.access !== "none" ? ledger : undefined;
    const exit = known && looksAt(ruled) ? known.exitOf(ruled, dispatch, read) : ruled;
    return {
      databases,
      exit,
      ...(exit.rules && ledger ? { mayTell: ledger.mayTellOf(dispatch, read) } : {}),
    };
  };
}

/** Whether what leaves at the end rests on rows, and leaves by itself. */
function looksAt({ access, standing }: Exit): boolean {
  return access === "rows" && standing !== "held";
}
