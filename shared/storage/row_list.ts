/**
 * Lists of rows: a page of one, or all of it without having all of it in memory.
 * @module
 */
import { all, type PageRequest, selectPage } from "./db.ts";
import type { Fragment } from "./sql.ts";
import type { Db } from "./statements.ts";

export interface RowListOptions {
  columns: Fragment;
  from: Fragment;
  /** The column `id` of the rows, where `from` has several. */
  id?: Fragment;
  /** The table, when the number of all its rows is kept (see `row_count.ts`). */
  counted?: string;
  /** Rows that are in memory at once, of a list that is not asked for in pages. */
  batch?: number;
}

export interface RowList<Row> {
  /** One page, and how many rows match. */
  page(request: PageRequest): Promise<{ rows: Row[]; total: number }>;
  /** All rows that match: as they are when they are few, else in batches. */
  all(request: Omit<PageRequest, "window">): Promise<WholeList<Row>>;
}

export type WholeList<Row> =
  | { rows: Row[]; total: number }
  | { batches: AsyncGenerator<Row[]>; total: number };

const BATCH = 500;

export function rowList<Row extends { id: number }>(
  db: Db,
  { columns, from, id = db`id`, counted, batch = BATCH }: RowListOptions,
): RowList<Row> {
  /**
   * Each batch is read when the one before it was taken. What is deleted meanwhile, or is not what
   * was asked for any more, is left out.
   */
  async function* batchesOf(ids: number[], condition: Fragment): AsyncGenerator<Row[]> {
    for (let at = 0; at < ids.length; at += batch) {
      const some = ids.slice(at, at + batch);
      const found = await db<Row[]>`
        select ${columns} from ${from} where ${id} = any(${some}) and ${condition}`;
      const rowOf = new Map(found.map((row) => [row.id, row]));
      yield some.flatMap((one) => rowOf.get(one) ?? []);
    }
  }

  return {
    page: (request) =>
      selectPage<Row>(db, columns, from, counted === undefined ? request : { ...request, counted }),
    async all({ where, order }) {
      const condition = all(db, where);
      const sorted = order
        .map(({ column, descending }) => descending ? db`${db(column)} desc` : db`${db(column)}`)
        .reduce((left, right) => db`${left}, ${right}`);
      const rows = await db<Row[]>`
        select ${columns} from ${from} where ${condition} order by ${sorted} limit ${batch + 1}`;
      if (rows.length <= batch) return { rows, total: rows.length };
      const [row] = await db<{ ids: number[] }[]>`
        select array(select ${id} from ${from} where ${condition} order by ${sorted}) as ids`;
      const { ids } = row!;
      return { batches: batchesOf(ids, condition), total: ids.length };
    },
  };
}
