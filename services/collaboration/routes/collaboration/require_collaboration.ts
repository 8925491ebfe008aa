import { found, pathId } from "../../../../shared/contract/validate.ts";
import type { Db } from "../../../../shared/storage/db.ts";
import { collaborationById, type CollaborationRow } from "../../store/collaboration.ts";

/** The collaboration that the id in a path names; 404 when there is none. */
export async function requireCollaboration(
  db: Db,
  given: string | undefined,
): Promise<CollaborationRow> {
  const id = pathId(given);
  return found(await collaborationById(db, id), "collaboration", id);
}
