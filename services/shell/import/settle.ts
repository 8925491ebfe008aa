/**
 * What the parts of an import share: bringing one row to what the file says, and saying in which
 * line that failed.
 * @module
 */
import type { HubService } from "../../../shared/broker/subjects.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import type { Outcome, Row, Values } from "../models/description.ts";
import { explain } from "../show/explain.ts";
import { type ImportDocument, ImportProblem, problemsIn } from "./file.ts";
import type { ImportReport } from "./report.ts";

export type Path = PropertyKey[];

export interface Settling {
  changes: Record<HubService, Change>;
  report: ImportReport;
  now(): Date;
  lineOf(at: Path): number;
  /** Ids of nodes that are to be shut out once all is committed. */
  shutOut: number[];
  /**
   * Creates a row, or changes what differs in one; returns its id. Empty values of the file leave
   * it alone.
   */
  settle(options: SettleOptions): Promise<number>;
  /** Runs `work`; what is refused in it is told with the line. */
  inLine<Result>(at: Path, work: () => Promise<Result>): Promise<Result>;
}

export interface SettleOptions {
  /** As the report calls it. */
  label: string;
  before: Row | undefined;
  wanted: Record<string, unknown>;
  create(values: Values): Promise<Outcome>;
  update(id: number, values: Values): Promise<Outcome>;
}

export function createSettling(
  { changes, file, path, report, now }: Pick<Settling, "changes" | "report" | "now"> & {
    file: ImportDocument;
    path: string;
  },
): Settling {
  const shutOut: number[] = [];
  return {
    changes,
    report,
    now,
    lineOf: file.lineOf,
    shutOut,
    async settle({ label, before, wanted, create, update }) {
      const values = Object.entries(wanted).filter(([, one]) => one !== null && one !== undefined);
      if (!before) {
        const { id } = await create(Object.fromEntries(values));
        report.created(label);
        return id!;
      }
      const id = before.id as number;
      const different = values.filter(([column, value]) => before[column] !== value);
      if (different.length === 0) report.unchanged(label);
      else {
        shutOut.push(...(await update(id, Object.fromEntries(different))).shutOut ?? []);
        report.changed(label, different.map(([column]) => propertyOf(column)));
      }
      return id;
    },
    async inLine(at, work) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof ImportProblem) throw error;
        throw problemsIn(path, [`${file.whereIs(at)}: ${explain(error)}`]);
      }
    },
  };
}

/** `organization_ids` as `organizations`, `api_key` as `apiKey`. */
function propertyOf(column: string): string {
  return column.replace(/_ids$/, "s").replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
}
