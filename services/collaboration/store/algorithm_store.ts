/**
 * The SQL of links to algorithm stores.
 * @module
 */
import { type Db, type Tx } from "../../../shared/storage/db.ts";
import { type RowList, rowList } from "../../../shared/storage/row_list.ts";

export interface StoreRow {
  id: number;
  name: string;
  url: string;
  /** `null` when the store serves all collaborations. */
  collaboration_id: number | null;
  /** Whether whoever linked it insisted on a store on this machine. */
  forced: boolean;
}

const storeColumns = (tx: Tx) => tx`id, name, url, collaboration_id, forced`;

export async function insertStore(tx: Tx, values: Omit<StoreRow, "id">): Promise<StoreRow> {
  const [row] = await tx<StoreRow[]>`
    insert into algorithm_store ${tx(values)} returning ${storeColumns(tx)}`;
  return row!;
}

export async function storeById(tx: Tx, id: number): Promise<StoreRow | undefined> {
  const [row] = await tx<StoreRow[]>`
    select ${storeColumns(tx)} from algorithm_store where id = ${id}`;
  return row;
}

export async function storesByUrl(tx: Tx, url: string): Promise<StoreRow[]> {
  return await tx<StoreRow[]>`
    select ${storeColumns(tx)} from algorithm_store where url = ${url} order by id`;
}

export async function updateStore(
  tx: Tx,
  id: number,
  values: { name?: string | undefined; collaboration_id?: number | null | undefined },
): Promise<StoreRow | undefined> {
  const { name = null, collaboration_id } = values;
  const [row] = await tx<StoreRow[]>`
    update algorithm_store set name = coalesce(${name}, name), collaboration_id = case
      when ${collaboration_id !== undefined} then ${collaboration_id ?? null}::integer
      else collaboration_id end
    where id = ${id} returning ${storeColumns(tx)}`;
  return row;
}

export async function deleteStores(tx: Tx, ids: number[]): Promise<StoreRow[]> {
  return await tx<StoreRow[]>`
    delete from algorithm_store where id = any(${ids}) returning ${storeColumns(tx)}`;
}

export function storeRows(db: Db): RowList<StoreRow> {
  return rowList<StoreRow>(db, { columns: storeColumns(db), from: db`algorithm_store` });
}
