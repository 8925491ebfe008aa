/**
 * The filters that lists of runs and of results share (contract §3.8).
 * @module
 */
import { parseSort } from "../../../../shared/contract/paging.ts";
import type { ResultList } from "../../../../shared/contract/result.ts";
import type { Db, Fragment, PageRequest } from "../../../../shared/storage/db.ts";
import {
  collaborationIds,
  demand,
  mayCollaboration,
  mayOrganization,
  type Principal,
  widestScope,
} from "../../../../shared/contract/permissions.ts";
import type { Ask } from "../../../../shared/messages/questions.ts";
import { FINAL_STATUSES, OPEN_STATUSES } from "../../../../shared/node_protocol/status.ts";
import { mayTask } from "../../rules.ts";
import { keptCount } from "../../../../shared/storage/row_count.ts";
import { taskById } from "../../store/task.ts";
import { unknown } from "../task/references.ts";

const STATUSES: readonly string[] = [...OPEN_STATUSES, ...FINAL_STATUSES];
const SORTABLE = ["id", "status", "assigned_at", "started_at", "finished_at"];

/**
 * Which rows a list is about: what the caller may see, narrowed to what they ask for; 401 outside
 * of it.
 */
export async function resultRequest(
  services: { db: Db; ask: Ask },
  principal: Principal,
  wanted: ResultList,
): Promise<Omit<PageRequest, "window">> {
  return {
    ...await resultConditions(services, principal, wanted),
    order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: true }),
  };
}

async function resultConditions(
  { db, ask }: { db: Db; ask: Ask },
  principal: Principal,
  wanted: ResultList,
): Promise<{ where: Fragment[]; total: Fragment | undefined }> {
  const where: Fragment[] = [];
  const scope = widestScope(principal, "run:VIEW");
  if (scope === "COLLABORATION") {
    where.push(db`task_collaboration_id = any(${collaborationIds(principal)})`);
  } else if (scope === "ORGANIZATION") {
    where.push(db`init_org_id = ${principal.organization_id}`);
  } else if (scope === "OWN") {
    where.push(db`init_user_id = ${principal.id}`);
  }
  if (principal.kind === "container") where.push(db`job_id = ${principal.job_id}`);
  if (wanted.task_id !== undefined) {
    const task = await taskById(db, wanted.task_id);
    if (!task) throw unknown("task", wanted.task_id);
    demand(mayTask(principal, "run:VIEW", task), `view the results of task ${task.id}`);
    where.push(db`task_id = ${task.id}`);
  }
  if (wanted.job_id !== undefined) where.push(db`job_id = ${wanted.job_id}`);
  if (wanted.organization_id !== undefined) {
    const allowed = scope === "OWN" ||
      mayOrganization(principal, "run:VIEW", wanted.organization_id);
    demand(allowed, `view the results of organization ${wanted.organization_id}`);
    where.push(db`organization_id = ${wanted.organization_id}`);
  }
  if (wanted.collaboration_id !== undefined) {
    const allowed = scope === "OWN" || scope === "ORGANIZATION" ||
      mayCollaboration(principal, "run:VIEW", wanted.collaboration_id);
    demand(allowed, `view the results of collaboration ${wanted.collaboration_id}`);
    where.push(db`task_collaboration_id = ${wanted.collaboration_id}`);
  }
  if (wanted.node_id !== undefined) {
    const node = await ask("collaboration", "node", { id: wanted.node_id });
    if (!node) throw unknown("node", wanted.node_id);
    where.push(
      db`organization_id = ${node.organization_id} and collaboration_id = ${node.collaboration_id}`,
    );
  }
  if (wanted.port !== undefined) {
    where.push(db`exists (
      select 1 from port where port.result_id = result.id and port.port = ${wanted.port})`);
  }
  if (wanted.state === "open") where.push(db`finished_at is null`);
  else if (wanted.state !== undefined && STATUSES.includes(wanted.state)) {
    where.push(db`status = ${wanted.state}`);
  }
  for (const moment of ["assigned", "started", "finished"] as const) {
    const column = db(`${moment}_at`);
    const from = wanted[`${moment}_from`];
    const till = wanted[`${moment}_till`];
    if (from) where.push(db`${column} >= ${from}`);
    if (till) where.push(db`${column} <= ${till}`);
  }
  // As long as only collaborations narrow the list, nobody needs to count.
  const narrowed = where.length -
    Number(scope === "COLLABORATION") - Number(wanted.collaboration_id !== undefined);
  const places = wanted.collaboration_id !== undefined
    ? [wanted.collaboration_id]
    : scope === "GLOBAL"
    ? "all"
    : collaborationIds(principal);
  return { where, total: narrowed === 0 ? keptCount(db, "result", places) : undefined };
}
