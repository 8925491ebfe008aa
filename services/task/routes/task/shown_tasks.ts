import type { Db } from "../../../../shared/storage/db.ts";
import { showTask } from "../../show.ts";
import { databasesOfTasks, progressOfTasks, type TaskRow } from "../../store/task.ts";

/** Tasks as the API shows them, in the order of `rows`; two queries, however many there are. */
export async function showTasks(
  db: Db,
  rows: readonly TaskRow[],
): Promise<ReturnType<typeof showTask>[]> {
  const ids = rows.map((row) => row.id);
  const [databases, progress] = await Promise.all([
    databasesOfTasks(db, ids),
    progressOfTasks(db, ids),
  ]);
  const databasesOf = Map.groupBy(databases, (one) => one.task_id);
  const progressOf = new Map(progress.map((one) => [one.task_id, one]));
  return rows.map((row) => showTask(row, databasesOf.get(row.id) ?? [], progressOf.get(row.id)));
}
