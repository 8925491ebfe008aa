/**
 * The filters of `GET /task` that name something else: it must exist (400) and be visible (401).
 * @module
 */
import type { TaskList } from "../../../../shared/contract/task.ts";
import type { Fragment } from "../../../../shared/storage/db.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import {
  collaborationIds,
  demand,
  isMember,
  mayCollaboration,
  mayOrganization,
  type Principal,
  scopesOf,
} from "../../../../shared/contract/permissions.ts";
import type { TaskDeps } from "../../deps.ts";
import { mayTask } from "../../rules.ts";
import { taskOfResult } from "../../store/result.ts";
import { oneTaskOfRun, taskById } from "../../store/task.ts";

/** A filter names something that does not exist. */
export function unknown(noun: string, id: number): SextantError {
  return new SextantError(
    "invalid_request",
    `The filter names a ${noun} that does not exist: ${id}.`,
  );
}

/** The conditions for what `wanted` refers to. */
export async function referenceConditions(
  { db, ask }: Pick<TaskDeps, "db" | "ask">,
  principal: Principal,
  wanted: TaskList,
): Promise<Fragment[]> {
  const where: Fragment[] = [];
  /** Narrow scopes see only their own rows anyway; for them it is enough to be a member. */
  function inReach(collaborationId: number): boolean {
    const held = scopesOf(principal, "task:VIEW");
    return mayCollaboration(principal, "task:VIEW", collaborationId) ||
      (!held.has("COLLABORATION") && isMember(principal, collaborationId));
  }
  async function visible(taskId: number | undefined, noun: string, id: number): Promise<void> {
    const task = taskId === undefined ? undefined : await taskById(db, taskId);
    if (!task) throw unknown(noun, id);
    demand(mayTask(principal, "task:VIEW", task), `view the tasks of ${noun} ${id}`);
  }

  const { init_user_id, study_id, parent_id, job_id, run_id, store_id } = wanted;
  if (init_user_id !== undefined) {
    const user = await ask("identity", "user_place", { id: init_user_id });
    if (!user) throw unknown("user", init_user_id);
    const itself = principal.kind === "user" && principal.id === init_user_id;
    demand(
      itself || mayOrganization(principal, "task:VIEW", user.organization_id),
      `view the tasks of user ${init_user_id}`,
    );
    where.push(db`init_user_id = ${init_user_id}`);
  }
  if (study_id !== undefined) {
    const { study } = await ask("collaboration", "scope", { study_id });
    if (!study) throw unknown("study", study_id);
    demand(inReach(study.collaboration_id), `view the tasks of study ${study_id}`);
    where.push(db`study_id = ${study_id}`);
  }
  if (parent_id !== undefined) {
    await visible(parent_id, "parent task", parent_id);
    where.push(db`parent_id = ${parent_id}`);
  }
  if (job_id !== undefined) {
    await visible(await oneTaskOfRun(db, job_id), "job", job_id);
    where.push(db`job_id = ${job_id}`);
  }
  if (run_id !== undefined) {
    const taskId = await taskOfResult(db, run_id);
    await visible(taskId, "run", run_id);
    where.push(db`id = ${taskId!}`);
  }
  if (store_id !== undefined) {
    const store = await ask("collaboration", "store", { id: store_id });
    if (!store) throw unknown("algorithm store", store_id);
    const allowed = store.collaboration_id === null
      ? collaborationIds(principal).length > 0 || scopesOf(principal, "task:VIEW").has("GLOBAL")
      : inReach(store.collaboration_id);
    demand(allowed, `view the tasks of algorithm store ${store_id}`);
    where.push(db`algorithm_store_id = ${store_id}`);
  }
  return where;
}
