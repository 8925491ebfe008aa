/** The parts of `pg-cursor` (2.22) that are used here; it brings no types. */
import type { Result } from "../../../shared/storage/pg.d.ts";

type OnRows = (error: Error | null, rows: unknown[][], result: Result) => void;

/** What a client of `pg` can do with it, too. */
export interface CursorClient {
  query(cursor: Cursor): Cursor;
}

/** What a query finds, in portions. */
export default class Cursor {
  constructor(
    text: string,
    values: unknown[],
    config: { rowMode: "array"; types: { getTypeParser(oid: number): (text: string) => unknown } },
  );
  /** The next rows, at most so many; none when there are no more. */
  read(rows: number, done: OnRows): void;
}
