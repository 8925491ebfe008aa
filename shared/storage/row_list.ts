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
  /** Rows that are in memory at once. */
  batch?: number;
  /** SQL of how many bytes of a row count, where a few rows can be many. */
  bytes?: Fragment;
}

export interface RowList<Row> {
  /** One page, and how many rows match. */
  page(request: PageRequest): Promise<WholeList<Row>>;
  /** All rows that match. */
  all(request: Omit<PageRequest, "window">): Promise<WholeList<Row>>;
}

/** As they are when they are few, else in batches. */
export type WholeList<Row> =
  | { rows: Row[]; total: number }
  | { batches: AsyncGenerator<Row[]>; total: number };

const BATCH = 500;
/** Bytes of a batch: rows that have more come alone. */
const BATCH_BYTES = 16 * 2 ** 20;

export function rowList<Row extends { id: number }>(
  db: Db,
  { columns, from, id = db`id`, counted, batch = BATCH, bytes }: RowListOptions,
): RowList<Row> {
  /** What is deleted meanwhile, or is not what was asked for any more, is left out. */
  async function rowsOf(ids: number[], condition: Fragment): Promise<Row[]> {
    const found = await db<Row[]>`
      select ${columns} from ${from} where ${id} = any(${ids}) and ${condition}`;
    const rowOf = new Map(found.map((row) => [row.id, row]));
    return ids.flatMap((one) => rowOf.get(one) ?? []);
  }

  /** Each batch is read when the one before it was taken. */
  async function* batchesOf(groups: number[][], condition: Fragment): AsyncGenerator<Row[]> {
    for (const ids of groups) yield await rowsOf(ids, condition);
  }

  async function listOf(
    sizes: Sized[],
    total: number,
    condition: Fragment,
  ): Promise<WholeList<Row>> {
    const groups = groupsOf(sizes, batch);
    if (groups.length > 1) return { batches: batchesOf(groups, condition), total };
    return { rows: await rowsOf(groups[0] ?? [], condition), total };
  }

  return {
    async page(given) {
      const request = counted === undefined ? given : { ...given, counted };
      const { where, window } = request;
      if (bytes === undefined && window.limit !== undefined && window.limit <= batch) {
        return await selectPage<Row>(db, columns, from, request);
      }
      const sized = db`${id} as id, ${bytes ?? db`0`} as bytes`;
      const { rows, total } = await selectPage<Sized>(db, sized, from, request);
      return await listOf(rows, total, all(db, where));
    },
    async all({ where, order }) {
      const condition = all(db, where);
      const sorted = order
        .map(({ column, descending }) => descending ? db`${db(column)} desc` : db`${db(column)}`)
        .reduce((left, right) => db`${left}, ${right}`);
      if (bytes !== undefined) {
        const sizes = await db<Sized[]>`
          select ${id} as id, ${bytes} as bytes from ${from} where ${condition} order by ${sorted}`;
        return await listOf(sizes, sizes.length, condition);
      }
      const rows = await db<Row[]>`
        select ${columns} from ${from} where ${condition} order by ${sorted} limit ${batch + 1}`;
      if (rows.length <= batch) return { rows, total: rows.length };
      const [row] = await db<{ ids: number[] }[]>`
        select array(select ${id} from ${from} where ${condition} order by ${sorted}) as ids`;
      const { ids } = row!;
      return await listOf(ids.map((one) => ({ id: one, bytes: 0 })), ids.length, condition);
    },
  };
}

/** A row that is not read yet. */
interface Sized {
  id: number;
  bytes: number;
}

/** The ids of rows that are read together. */
function groupsOf(rows: Sized[], most: number): number[][] {
  const groups: number[][] = [];
  let taken = Infinity;
  for (const { id, bytes } of rows) {
    if (taken + bytes > BATCH_BYTES || groups.at(-1)!.length >= most) {
      groups.push([]);
      taken = 0;
    }
    groups.at(-1)!.push(id);
    taken += bytes;
  }
  return groups;
}
