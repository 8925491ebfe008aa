import { found, pathId } from "../../../../shared/contract/validate.ts";
import type { Db } from "../../../../shared/storage/db.ts";
import { nodeById, type NodeRow } from "../../store/node.ts";

/** The node that the id in a path names; 404 when there is none. */
export async function requireNode(db: Db, given: string | undefined): Promise<NodeRow> {
  const id = pathId(given);
  return found(await nodeById(db, id), "node", id);
}
