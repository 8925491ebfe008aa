/**
 * Changes of tasks, each with all that follows from it in this service and what is told of it.
 * @module
 */
import type { Change } from "../../../shared/storage/outbox.ts";
import { tellDeleted } from "../events.ts";
import type { StopOrder } from "../store/stop_order.ts";
import { deleteTasks, type TaskRow } from "../store/task.ts";
import { stopResults } from "./result.ts";

/** Deletes tasks, which the caller has locked with all their descendants; kills first what is unfinished. */
export async function removeTasks(
  change: Change,
  tasks: TaskRow[],
  { at, reason }: { at: Date; reason: string },
): Promise<StopOrder[]> {
  const { orders } = await stopResults(change, tasks, { status: "killed by user", at, reason });
  await deleteTasks(change.tx, tasks.map((task) => task.id));
  for (const task of tasks) tellDeleted(change, task);
  return orders;
}
