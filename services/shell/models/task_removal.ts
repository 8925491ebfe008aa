/**
 * How tasks go: their descendants go too, and nodes that run a share are told to stop.
 * @module
 */
import type { EventData } from "../../../shared/messages/events.ts";
import type { Change } from "../../../shared/storage/outbox.ts";

/** Deletes tasks with all that descends from them; returns how many went. */
export async function removeTasks({ tx, emit }: Change, ids: number[]): Promise<number> {
  if (ids.length === 0) return 0;
  // The task service repeats these orders to the nodes until they are obeyed.
  await tx`
    insert into stop_order (result_id, node_id)
    select result.id, node_id from result
    where task_id in (${family(tx, ids)}) and finished_at is null and node_id is not null
    on conflict (result_id) do nothing`;
  const gone = await tx<EventData<"task.deleted">[]>`
    delete from task where id in (${family(tx, ids)})
    returning id as task_id, collaboration_id, init_org_id, init_user_id`;
  for (const row of gone) emit("task.deleted", row);
  return gone.length;
}

/** The ids of tasks and of all their descendants, as a subquery. */
export function family(tx: Change["tx"], ids: number[]) {
  return tx`
    with recursive family as (
      select id from task where id = any(${ids})
      union
      select task.id from task join family on task.parent_id = family.id
    ) select id from family`;
}
