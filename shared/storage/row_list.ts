/**
 * Lists of rows: a page of one, or all of it without having all of it in memory.
 * @module
 */
import { all, type PageRequest, selectPage } from "./db.ts";
import type { Fragment } from "./sql.ts";
import type { Db, Tx } from "./statements.ts";

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
  async function rowsOf(tx: Tx, ids: number[], condition: Fragment): Promise<Row[]> {
    const found = await tx<Row[]>`
      select ${columns} from ${from} where ${id} = any(${ids}) and ${condition}`;
    const rowOf = new Map(found.map((row) => [row.id, row]));
    return ids.flatMap((one) => rowOf.get(one) ?? []);
  }

  /**
   * Each batch is read when the one before it was taken. What is deleted meanwhile, or is not what
   * was asked for any more, is left out.
   */
  async function* batchesOf(groups: number[][], condition: Fragment): AsyncGenerator<Row[]> {
    for (const ids of groups) yield await rowsOf(db, ids, condition);
  }

  /**
   * Which rows, then the rows, both as they are at one moment: else a row that ends in between
   * would leave a page of the open ones without it, and without the one that takes its place.
   */
  async function sizedList(
    condition: Fragment,
    read: (tx: Tx) => Promise<{ rows: Sized[]; total: number }>,
  ): Promise<WholeList<Row>> {
    return await db.begin("isolation level repeatable read read only", async (tx) => {
      const { rows, total } = await read(tx);
      const groups = groupsOf(rows, batch);
      if (groups.length > 1) return { batches: batchesOf(groups, condition), total };
      return { rows: await rowsOf(tx, groups[0] ?? [], condition), total };
    });
  }

  return {
    async page(given) {
      const request = counted === undefined ? given : { ...given, counted };
      const { where, window } = request;
      if (bytes === undefined && window.limit !== undefined && window.limit <= batch) {
        return await selectPage<Row>(db, columns, from, request);
      }
      const sized = db`${id} as id, ${bytes ?? db`0`} as bytes`;
      return await sizedList(
        all(db, where),
        (tx) => selectPage<Sized>(tx, sized, from, request),
      );
    },
    async all({ where, order }) {
      const condition = all(db, where);
      const sorted = order
        .map(({ column, descending }) => descending ? db`${db(column)} desc` : db`${db(column)}`)
        .reduce((left, right) => db`${left}, ${right}`);
      if (bytes !== undefined) {
        return await sizedList(condition, async (tx) => {
          const rows = await tx<Sized[]>`
            select ${id} as id, ${bytes} as bytes from ${from} where ${condition} order by ${sorted}`;
          return { rows, total: rows.length };
        });
      }
      const rows = await db<Row[]>`
        select ${columns} from ${from} where ${condition} order by ${sorted} limit ${batch + 1}`;
      if (rows.length <= batch) return { rows, total: rows.length };
      const [row] = await db<{ ids: number[] }[]>`
        select array(select ${id} from ${from} where ${condition} order by ${sorted}) as ids`;
      const { ids } = row!;
      const groups = groupsOf(ids.map((one) => ({ id: one, bytes: 0 })), batch);
      return { batches: batchesOf(groups, condition), total: ids.length };
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
