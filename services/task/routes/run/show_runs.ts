import type { RunWithTask } from "../../../../shared/contract/task.ts";
import type { TaskDeps } from "../../deps.ts";
import { runShower } from "../../show.ts";
import { portsOfResults } from "../../store/port.ts";
import type { ResultOfTaskRow } from "../../store/shown_result.ts";
import { tasksById } from "../../store/task.ts";
import { namesOfWaiting, organizationsOfHeld } from "../task/names_of_waiting.ts";
import { showTasks } from "../task/show_tasks.ts";

/** Runs as the API shows them, in the order of `rows`, with what `include` asks for. */
export async function showRuns(
  { db, ask }: Pick<TaskDeps, "db" | "ask">,
  rows: ResultOfTaskRow[],
  include: string[] = [],
): Promise<RunWithTask[]> {
  const nodes = await ask("collaboration", "nodes", {
    collaboration_ids: [...new Set(rows.map((row) => row.collaboration_id))],
  });
  const ports = await portsOfResults(db, rows.map((row) => row.id));
  const nameOf = await namesOfWaiting({ ask }, organizationsOfHeld(rows));
  const runs = rows.map(runShower(nodes, ports, nameOf));
  if (!include.includes("task")) return runs;
  const ids = [...new Set(rows.map((row) => row.task_id))];
  const tasks = await showTasks({ db, ask }, await tasksById(db, ids));
  const taskOf = new Map(tasks.map(({ runs: _, ...task }) => [task.id, task]));
  // One that was deleted just now stays a link.
  return runs.map((run, index) => ({
    ...run,
    task: taskOf.get(rows[index]!.task_id) ?? run.task,
  }));
}
