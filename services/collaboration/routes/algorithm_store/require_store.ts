import {
  demand,
  mayCollaboration,
  type Principal,
} from "../../../../shared/contract/permissions.ts";
import { found, pathId } from "../../../../shared/contract/validate.ts";
import type { Db } from "../../../../shared/storage/db.ts";
import { storeById, type StoreRow } from "../../store/algorithm_store.ts";
import { collaborationById } from "../../store/collaboration.ts";

/** The link to a store that the id in a path names; 404 when there is none. */
export async function requireStore(db: Db, given: string | undefined): Promise<StoreRow> {
  const id = pathId(given);
  return found(await storeById(db, id), "algorithm store", id);
}

/** 404 unless a store can be linked there: to a collaboration, or to all of them (`null`). */
export async function requirePlace(db: Db, collaborationId: number | null): Promise<void> {
  if (collaborationId === null) return;
  found(await collaborationById(db, collaborationId), "collaboration", collaborationId);
}

/** Refuses who may not edit the stores there. */
export function demandEdit(principal: Principal, collaborationId: number | null): void {
  demand(
    mayCollaboration(principal, "collaboration:EDIT", collaborationId),
    collaborationId === null
      ? "edit the stores of all collaborations"
      : `edit the stores of collaboration ${collaborationId}`,
  );
}
