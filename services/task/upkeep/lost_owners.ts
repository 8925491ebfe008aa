/**
 * Looking for what tasks and results belong to and what is not there any more: what events that
 * were missed have left behind.
 * @module
 */
import type { TaskDeps } from "../deps.ts";
import { placesWithOpenResults } from "../store/result.ts";
import { ownersOfTasks } from "../store/task.ts";
import type { OwnerGone } from "./owner_gone.ts";

/** Organizations with their names; so many are sure to fit into one message. */
const ASKED_AT_ONCE = 1000;

/**
 * Asks the other services what there still is; what they do not know any more takes its tasks
 * along.
 */
export async function removeLost(
  deps: Pick<TaskDeps, "db" | "ask" | "log">,
  gone: OwnerGone,
): Promise<void> {
  await removeOfLostPlaces(deps, gone);
  await removeOfLostOrigins(deps, gone);
}

/** What collaboration does not know any more. */
async function removeOfLostPlaces(
  { db, ask, log }: Pick<TaskDeps, "db" | "ask" | "log">,
  gone: OwnerGone,
): Promise<void> {
  const present = new Set<string>();
  const nameOf = (node: number, collaboration: number) => `${node} in ${collaboration}`;
  const lost: number[] = [];
  const ids = await ownersOfTasks(db, "collaboration_id");
  for (const collaboration_id of ids) {
    const { collaboration, nodes } = await ask("collaboration", "scope", { collaboration_id });
    for (const node of nodes) present.add(nameOf(node.id, collaboration_id));
    if (!collaboration) lost.push(collaboration_id);
  }
  if (!isBelievable({ service: "collaboration", ids, lost }, log)) return;
  for (const collaboration_id of lost) await gone.removeTasks({ collaboration_id });
  for (const study_id of await ownersOfTasks(db, "study_id")) {
    const { study } = await ask("collaboration", "scope", { study_id });
    if (!study) await gone.removeTasks({ study_id });
  }
  for (const place of await placesWithOpenResults(db)) {
    const { node_id: id, collaboration_id } = place;
    if (present.has(nameOf(id, collaboration_id))) continue;
    // A node that came after the list was made is asked for once more.
    const node = await ask("collaboration", "node", { id });
    if (!node) await gone.failAtNode(id);
    else if (node.collaboration_id !== collaboration_id) await gone.failAtMovedNode(place);
  }
}

/** What identity does not know any more. */
async function removeOfLostOrigins(
  { db, ask, log }: Pick<TaskDeps, "db" | "ask" | "log">,
  gone: OwnerGone,
): Promise<void> {
  const ids = await ownersOfTasks(db, "init_org_id");
  const known = new Set<number>();
  for (let at = 0; at < ids.length; at += ASKED_AT_ONCE) {
    const some = ids.slice(at, at + ASKED_AT_ONCE);
    for (const { id } of await ask("identity", "organizations", { ids: some })) known.add(id);
  }
  const lost = ids.filter((id) => !known.has(id));
  if (!isBelievable({ service: "identity", ids, lost }, log)) return;
  for (const init_org_id of lost) await gone.removeTasks({ init_org_id });
  for (const init_user_id of await ownersOfTasks(db, "init_user_id")) {
    if (await ask("identity", "user_place", { id: init_user_id })) continue;
    await gone.removeTasks({ init_user_id });
  }
}

/**
 * Whether a service that knows none of these can be believed. If not, it is its database that is
 * wrong.
 */
function isBelievable(
  { service, ids, lost }: { service: string; ids: number[]; lost: number[] },
  log: TaskDeps["log"],
): boolean {
  if (lost.length === 0 || lost.length < ids.length) return true;
  log.error(`${service} knows nothing of what the tasks here belong to; nothing is deleted`, {
    service,
    ids: ids.length,
  });
  return false;
}
