/**
 * The filters of `GET /task` (contract §3.7): what the caller may see, narrowed to what they ask
 * for; 401 outside of it.
 * @module
 */
import {
  collaborationIds,
  demand,
  isMember,
  mayCollaboration,
  mayOrganization,
  type Principal,
  widestScope,
} from "../../../../shared/contract/permissions.ts";
import type { TaskList } from "../../../../shared/contract/task.ts";
import type { Db, Fragment } from "../../../../shared/storage/db.ts";
import type { TaskDeps } from "../../deps.ts";
import { keptCount } from "../../../../shared/storage/row_count.ts";
import { referenceConditions } from "./references.ts";

export async function taskConditions(
  { db, ask }: Pick<TaskDeps, "db" | "ask">,
  principal: Principal,
  wanted: TaskList,
): Promise<{ where: Fragment[]; total: Fragment | undefined }> {
  const scope = widestScope(principal, "task:VIEW");
  const where = ownConditions(db, principal, scope);
  if (wanted.collaboration_id !== undefined) {
    const inReach = mayCollaboration(principal, "task:VIEW", wanted.collaboration_id) ||
      (scope !== "COLLABORATION" && isMember(principal, wanted.collaboration_id));
    demand(inReach, `view the tasks of collaboration ${wanted.collaboration_id}`);
    where.push(db`collaboration_id = ${wanted.collaboration_id}`);
  }
  // As long as only collaborations narrow the list, nobody needs to count.
  const counted = scope === "GLOBAL" || scope === "COLLABORATION" ? where.length : -1;
  if (principal.kind === "container") where.push(db`job_id = ${principal.job_id}`);
  if (wanted.init_org_id !== undefined) {
    const allowed = mayOrganization(principal, "task:VIEW", wanted.init_org_id) || scope === "OWN";
    demand(allowed, `view the tasks of organization ${wanted.init_org_id}`);
    where.push(db`init_org_id = ${wanted.init_org_id}`);
  }
  where.push(...await referenceConditions({ db, ask }, principal, wanted));
  where.push(...valueConditions(db, wanted));
  if (where.length !== counted) return { where, total: undefined };
  const collaborations = scope === "GLOBAL" ? "all" : collaborationIds(principal);
  const total = keptCount(
    db,
    "task",
    wanted.collaboration_id === undefined ? collaborations : [wanted.collaboration_id],
  );
  return { where, total };
}

/** The tasks that the caller may see at all. */
function ownConditions(
  db: Db,
  principal: Principal,
  scope: ReturnType<typeof widestScope>,
): Fragment[] {
  switch (scope) {
    case "COLLABORATION":
      return [db`collaboration_id = any(${collaborationIds(principal)})`];
    case "ORGANIZATION":
      return [db`init_org_id = ${principal.organization_id}`];
    case "OWN":
      return [db`init_user_id = ${principal.id}`];
    default:
      return [];
  }
}

/** What is asked of the task's own values. */
function valueConditions(db: Db, wanted: TaskList): Fragment[] {
  const where: Fragment[] = [];
  for (const column of ["name", "image", "description"] as const) {
    const pattern = wanted[column];
    if (pattern !== undefined) where.push(db`${db(column)} like ${pattern} escape ''`);
  }
  const { search, created_from, created_till } = wanted;
  if (search) {
    where.push(
      db`strpos(lower(concat_ws(${"\n"}, name, description, image)), lower(${search})) > 0`,
    );
  }
  if (created_from) where.push(db`created_at >= ${created_from}`);
  if (created_till) where.push(db`created_at <= ${created_till}`);
  if (wanted.database !== undefined) {
    where.push(db`id in (select task_id from task_database where label = ${wanted.database})`);
  }
  if (wanted.is_user_created !== undefined) {
    where.push(wanted.is_user_created ? db`parent_id is null` : db`parent_id is not null`);
  }
  if (wanted.status !== undefined) {
    where.push(db`${db.unsafe(STATUS_OF_TASK)} = ${wanted.status}` as Fragment);
  }
  return where;
}

/** `taskStatus` of rules.ts in SQL. */
const STATUS_OF_TASK = `(
  select case
    when count(distinct status) filter (where failed) = 1 then min(status) filter (where failed)
    when bool_or(failed) then 'failed'
    when bool_or(status = 'active') then 'active'
    when bool_or(status = 'initializing') then 'initializing'
    when bool_or(status = 'pending') then 'pending'
    else 'completed' end
  from (select status, status not in ('pending', 'initializing', 'active', 'completed') as failed
        from result where result.task_id = task.id) as share)`;
