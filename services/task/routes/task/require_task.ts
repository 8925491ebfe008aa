import {
  demand,
  type Permission,
  type Principal,
} from "../../../../shared/contract/permissions.ts";
import { found, pathId } from "../../../../shared/contract/validate.ts";
import type { Db } from "../../../../shared/storage/db.ts";
import { mayTask } from "../../rules.ts";
import { taskById, type TaskRow } from "../../store/task.ts";

/**
 * The task that the id in a path names; 404 when there is none, 401 when the caller may not do this
 * to it.
 */
export async function requireTask(
  db: Db,
  principal: Principal,
  { id, permission }: { id: string | undefined; permission: Permission },
): Promise<TaskRow> {
  const taskId = pathId(id);
  const row = found(await taskById(db, taskId), "task", taskId);
  const verb = permission.split(":")[1]!.toLowerCase();
  demand(mayTask(principal, permission, row), `${verb} task ${taskId}`);
  return row;
}
