/**
 * What task does when it hears an event.
 * @module
 */
import type { SextantEvent } from "../../shared/messages/events.ts";
import type { TaskDeps } from "./deps.ts";
import { removeLost } from "./upkeep/lost_owners.ts";
import { createOwnerGone } from "./upkeep/owner_gone.ts";

/**
 * Reacts, while connected, to what has changed. An event that is missed costs time, nothing else.
 */
export async function hearEvent(
  { name, data }: SextantEvent,
  { watch, wakeUps }: Pick<TaskDeps, "watch" | "wakeUps">,
): Promise<void> {
  if (name !== "result.status" && name !== "task.deleted") return;
  watch.wake(data.task_id);
  // Handed out by the operator, too, who cannot tell nodes anything.
  if (name === "result.status" && data.status === "pending") await wakeUps.wakeFor(data.task_id);
}

/** Reactions to deletions, of which none may be missed. */
export interface Reactions {
  /** Does what an event asks for; doing it twice does no harm. */
  handle(event: SextantEvent): Promise<void>;
  /** Looks for what events that were missed have left behind. */
  catchUp(): Promise<void>;
}

export function createReactions(deps: TaskDeps): Reactions {
  const gone = createOwnerGone(deps);
  return {
    async handle({ name, data }) {
      switch (name) {
        case "collaboration.deleted":
          return await gone.removeTasks({ collaboration_id: data.collaboration_id });
        case "study.deleted":
          return await gone.removeTasks({ study_id: data.study_id });
        case "organization.deleted":
          return await gone.removeTasks({ init_org_id: data.organization_id });
        case "user.deleted":
          return await gone.removeTasks({ init_user_id: data.user_id });
        case "node.deleted":
          return await gone.failAtNode(data.node_id);
        case "membership.deleted":
          return await gone.failAtMovedNode(data);
      }
    },
    catchUp: () => removeLost(deps, gone),
  };
}
