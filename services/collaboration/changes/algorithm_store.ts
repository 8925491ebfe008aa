/**
 * Changes of the links to algorithm stores, with what is told of them. What a store itself is told
 * is the routes' business.
 * @module
 */
import { found } from "../../../shared/contract/validate.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { holdCollaboration } from "../store/collaboration.ts";
import {
  deleteStores,
  insertStore,
  type StoreRow,
  storesByUrl,
  updateStore,
} from "../store/algorithm_store.ts";

/**
 * Links a store to a collaboration, or to all of them (`null`); 404 when the collaboration is gone.
 */
export async function linkStore(
  change: Change,
  values: Omit<StoreRow, "id">,
): Promise<StoreRow> {
  await requireCollaboration(change, values.collaboration_id);
  return tellChanged(change, await insertStore(change.tx, values));
}

/**
 * Changes the name, or moves the link to another collaboration; 404 when one of the two is gone.
 */
export async function updateStoreLink(
  change: Change,
  id: number,
  values: { name?: string | undefined; collaboration_id?: number | null | undefined },
): Promise<StoreRow> {
  await requireCollaboration(change, values.collaboration_id ?? null);
  const row = await updateStore(change.tx, id, values);
  return tellChanged(change, found(row, "algorithm store", id));
}

/** Removes those links to a store that `which` picks; returns how many are left. */
export async function unlinkStores(
  { tx, emit }: Change,
  url: string,
  which: (link: StoreRow) => boolean,
): Promise<number> {
  const links = await storesByUrl(tx, url);
  const gone = await deleteStores(tx, links.filter(which).map(({ id }) => id));
  for (const { id, collaboration_id } of gone) {
    emit("algorithmstore.deleted", { algorithmstore_id: id, collaboration_id });
  }
  return links.length - gone.length;
}

async function requireCollaboration({ tx }: Change, id: number | null): Promise<void> {
  if (id === null) return;
  found(await holdCollaboration(tx, id) || undefined, "collaboration", id);
}

function tellChanged({ emit }: Change, row: StoreRow): StoreRow {
  const { id, collaboration_id } = row;
  emit("algorithmstore.changed", { algorithmstore_id: id, collaboration_id });
  return row;
}
