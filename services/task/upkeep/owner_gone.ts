/**
 * What becomes of tasks and results when something they belong to is gone: the tasks of a
 * collaboration, study, organization or user are deleted; what a node should still have computed
 * fails.
 *
 * The results that an organization computed for others and that are complete stay with their tasks.
 * @module
 */
import { removeTask, stopAtNode } from "../changes/task.ts";
import type { TaskDeps } from "../deps.ts";
import { tasksOpenAtNode } from "../store/result.ts";
import { closeStopOrdersExcept } from "../store/stop_order.ts";
import { taskById, type TaskOwner, tasksOf } from "../store/task.ts";

export interface OwnerGone {
  /** Deletes the tasks of what is gone, one after the other. */
  removeTasks(owner: TaskOwner): Promise<void>;
  /** Fails what is unfinished at a node that is gone. */
  failAtNode(nodeId: number): Promise<void>;
  /** Fails what is unfinished of a collaboration at a node that has left it. */
  failAtMovedNode(place: { node_id: number; collaboration_id: number }): Promise<void>;
}

export function createOwnerGone(
  { db, outbox, kills, now }: Pick<TaskDeps, "db" | "outbox" | "kills" | "now">,
): OwnerGone {
  async function failAt(nodeId: number, taskIds: number[], reason: string): Promise<void> {
    for (const taskId of taskIds) {
      const end = { status: "failed", at: now(), reason } as const;
      const { orders } = await outbox.change((change) =>
        stopAtNode(change, { taskId, nodeId }, end)
      );
      kills.tell(orders);
    }
  }

  return {
    async removeTasks(owner) {
      for (const taskId of await tasksOf(db, owner)) {
        const root = await taskById(db, taskId);
        if (!root) continue; // went with its parent
        const end = { at: now(), reason: `The ${nounOf(owner)} was deleted.` };
        const { orders } = await outbox.change((change) => removeTask(change, root, end));
        kills.tell(orders);
      }
    },
    async failAtNode(nodeId) {
      const reason = "The node that was to compute this was deleted.";
      await failAt(nodeId, await tasksOpenAtNode(db, nodeId), reason);
      // It is shut out: nobody will ever be heard to have stopped.
      await closeStopOrdersExcept(db, nodeId, []);
    },
    async failAtMovedNode({ node_id: nodeId, collaboration_id }) {
      const reason = "The node that was to compute this was moved to another collaboration.";
      await failAt(nodeId, await tasksOpenAtNode(db, nodeId, collaboration_id), reason);
    },
  };
}

function nounOf(owner: TaskOwner): string {
  if ("collaboration_id" in owner) return "collaboration";
  if ("study_id" in owner) return "study";
  return "init_org_id" in owner ? "organization" : "user";
}
