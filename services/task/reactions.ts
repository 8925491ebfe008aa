/**
 * What becomes of tasks and results when something they belong to goes: the tasks of a collaboration, study, organization
 * or user that is gone are deleted; what a node that is gone should still have computed fails.
 *
 * The results that an organization computed for others and that are complete stay with their tasks.
 * @module
 */
import type { SextantEvent } from "../../shared/messages/events.ts";
import type { TaskDeps } from "./deps.ts";
import type { DispatchStreams } from "./dispatch/streams.ts";
import { stopResults } from "./changes/result.ts";
import { removeTasks } from "./changes/task.ts";
import { nodesWithOpenResults, tasksOpenAtNode } from "./store/result.ts";
import {
  lockFamily,
  lockTask,
  ownersOfTasks,
  taskById,
  type TaskOwner,
  tasksOf,
} from "./store/task.ts";
import { closeStopOrdersExcept } from "./store/stop_order.ts";

export interface Departures {
  /** Does what an event asks for; doing it twice does no harm. */
  handle(event: SextantEvent): Promise<void>;
  /** Looks for what events that were missed have left behind. */
  catchUp(): Promise<void>;
}

/** Organizations with their names; so many are sure to fit into one message. */
const ASKED_AT_ONCE = 1000;

export function createDepartures(
  { db, outbox, ask, kills, log, now }: TaskDeps,
  streams: DispatchStreams,
): Departures {
  async function removeAll(owner: TaskOwner, reason: string): Promise<void> {
    for (const taskId of await tasksOf(db, owner)) {
      const root = await taskById(db, taskId);
      if (!root) continue; // went with its parent
      const orders = await outbox.change(async (change) =>
        await removeTasks(change, await lockFamily(change.tx, root), { at: now(), reason })
      );
      kills.tell(orders);
    }
  }

  async function failAtNode(nodeId: number): Promise<void> {
    for (const taskId of await tasksOpenAtNode(db, nodeId)) {
      const orders = await outbox.change(async (change) => {
        const task = await lockTask(change.tx, taskId);
        if (!task) return [];
        const reason = "The node that was to compute this was deleted.";
        const end = { status: "failed", at: now(), reason } as const;
        return (await stopResults(change, [task], end, nodeId)).orders;
      });
      kills.tell(orders);
    }
    // It is shut out: nobody will ever be heard to have stopped.
    await closeStopOrdersExcept(db, nodeId, []);
    await streams.removeConsumer(nodeId);
  }

  /** Whether a service that knows none of these can be believed. If not, it is its database that is wrong. */
  function believable(service: string, ids: number[], lost: number[]): boolean {
    if (lost.length === 0 || lost.length < ids.length) return true;
    log.error(`${service} knows nothing of what the tasks here belong to; nothing is deleted`, {
      service,
      ids: ids.length,
    });
    return false;
  }

  /** What collaboration does not know any more. */
  async function forgetLostPlaces(): Promise<void> {
    const present = new Set<number>();
    const lost: number[] = [];
    const ids = await ownersOfTasks(db, "collaboration_id");
    for (const collaboration_id of ids) {
      const { collaboration, nodes } = await ask("collaboration", "scope", { collaboration_id });
      for (const node of nodes) present.add(node.id);
      if (!collaboration) lost.push(collaboration_id);
    }
    if (!believable("collaboration", ids, lost)) return;
    for (const collaboration_id of lost) {
      await removeAll({ collaboration_id }, "The collaboration was deleted.");
    }
    for (const study_id of await ownersOfTasks(db, "study_id")) {
      const { study } = await ask("collaboration", "scope", { study_id });
      if (!study) await removeAll({ study_id }, "The study was deleted.");
    }
    for (const nodeId of await nodesWithOpenResults(db)) {
      // A node that came after the list was made is asked for once more.
      if (present.has(nodeId) || await ask("collaboration", "node", { id: nodeId })) continue;
      await failAtNode(nodeId);
    }
  }

  /** What identity does not know any more. */
  async function forgetLostOrigins(): Promise<void> {
    const ids = await ownersOfTasks(db, "init_org_id");
    const known = new Set<number>();
    for (let at = 0; at < ids.length; at += ASKED_AT_ONCE) {
      const some = ids.slice(at, at + ASKED_AT_ONCE);
      for (const { id } of await ask("identity", "organizations", { ids: some })) known.add(id);
    }
    const lost = ids.filter((id) => !known.has(id));
    if (!believable("identity", ids, lost)) return;
    for (const init_org_id of lost) {
      await removeAll({ init_org_id }, "The organization was deleted.");
    }
    for (const init_user_id of await ownersOfTasks(db, "init_user_id")) {
      if (await ask("identity", "user_place", { id: init_user_id })) continue;
      await removeAll({ init_user_id }, "The user was deleted.");
    }
  }

  return {
    async handle({ name, data }) {
      switch (name) {
        case "collaboration.deleted":
          return await removeAll(
            { collaboration_id: data.collaboration_id },
            "The collaboration was deleted.",
          );
        case "study.deleted":
          return await removeAll({ study_id: data.study_id }, "The study was deleted.");
        case "organization.deleted":
          return await removeAll(
            { init_org_id: data.organization_id },
            "The organization was deleted.",
          );
        case "user.deleted":
          return await removeAll({ init_user_id: data.user_id }, "The user was deleted.");
        case "node.deleted":
          return await failAtNode(data.node_id);
      }
    },
    async catchUp() {
      await forgetLostPlaces();
      await forgetLostOrigins();
    },
  };
}

/** Reacts to an event of any service. */
export async function hearEvent(
  event: SextantEvent,
  { watch, streams }: { watch: TaskDeps["watch"]; streams: DispatchStreams },
): Promise<void> {
  switch (event.name) {
    case "result.status":
    case "task.deleted":
      return watch.wake(event.data.task_id);
    case "node.changed":
      return await streams.ensureConsumer(event.data.node_id);
  }
}
