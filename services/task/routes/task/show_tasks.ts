import type { Task } from "../../../../shared/contract/task.ts";
import { type Principal } from "../../../../shared/contract/permissions.ts";
import type { TaskDeps } from "../../deps.ts";
import { mayTask } from "../../rules.ts";
import { runShower, showResult, showShare, showTask } from "../../show.ts";
import { namesOfWaiting, organizationsOfHeld } from "./names_of_waiting.ts";
import { portsOfResults } from "../../store/port.ts";
import { resultsOfTasks, sharesOfTasks, tasksOfMoreBytes } from "../../store/shown_result.ts";
import { databasesOfTasks, progressOfTasks, type TaskRow } from "../../store/task.ts";

/** Tasks as the API shows them, in the order of `rows`; two queries, however many there are. */
export async function showTasks(
  { db, ask }: Pick<TaskDeps, "db" | "ask">,
  rows: readonly TaskRow[],
): Promise<Task[]> {
  const ids = rows.map((row) => row.id);
  const [databases, progress] = await Promise.all([
    databasesOfTasks(db, ids),
    progressOfTasks(db, ids),
  ]);
  const databasesOf = Map.groupBy(databases, (one) => one.task_id);
  const progressOf = new Map(progress.map((one) => [one.task_id, one]));
  const waiting = progress.flatMap((one) => one.held_at_organizations);
  const nameOf = await namesOfWaiting({ ask }, waiting);
  return rows.map((row) =>
    showTask(row, databasesOf.get(row.id) ?? [], progressOf.get(row.id), nameOf)
  );
}

/** What the runs or results of one task may have in all to be shown with it. */
export const MOST_BYTES = 64 * 2 ** 20;

/**
 * Tasks with what `include` asks for, where the caller may see it and it is not too large:
 * elsewhere the link stays, which leads to a list in pages.
 */
export async function showTasksWith(
  { db, ask }: Pick<TaskDeps, "db" | "ask">,
  principal: Principal,
  { rows, include = [] }: { rows: TaskRow[]; include?: string[] | undefined },
): Promise<Task[]> {
  const tasks = await showTasks({ db, ask }, rows);
  const allowed = rows.filter((row) => mayTask(principal, "run:VIEW", row)).map(({ id }) => id);
  const tooLarge = await tooLargeToShow(db, allowed, include);
  const ids = allowed.filter((id) => !tooLarge.has(id));
  const fitting = tasks.filter((task) => ids.includes(task.id));
  if (include.includes("runs")) {
    const runs = await resultsOfTasks(db, ids, "run");
    const ports = await portsOfResults(db, runs.map((run) => run.id));
    const nodes = await ask("collaboration", "nodes", {
      collaboration_ids: [...new Set(rows.map((row) => row.collaboration_id))],
    });
    const runsOf = Map.groupBy(runs, (run) => run.task_id);
    const nameOf = await namesOfWaiting({ ask }, organizationsOfHeld(runs));
    const showRun = runShower(nodes, ports, nameOf);
    for (const task of fitting) task.runs = (runsOf.get(task.id) ?? []).map(showRun);
  }
  if (include.includes("shares")) {
    const sharesOf = Map.groupBy(await sharesOfTasks(db, allowed), (one) => one.task_id);
    for (const task of tasks.filter(({ id }) => allowed.includes(id))) {
      task.shares = (sharesOf.get(task.id) ?? []).map(showShare);
    }
  }
  if (include.includes("results")) {
    const results = await resultsOfTasks(db, ids, "result");
    const resultsOf = Map.groupBy(results, (one) => one.task_id);
    for (const task of fitting) task.results = (resultsOf.get(task.id) ?? []).map(showResult);
  }
  return tasks;
}

/** Those of some tasks whose runs or results are too large to be shown with them. */
export async function tooLargeToShow(
  db: TaskDeps["db"],
  taskIds: number[],
  include: string[] = [],
): Promise<Set<number>> {
  const payloads = payloadsOf(include);
  if (payloads.length === 0 || taskIds.length === 0) return new Set();
  return await tasksOfMoreBytes(db, { taskIds, payloads, most: MOST_BYTES });
}

/** What of runs and results this `include` reads. */
export function payloadsOf(include: string[]): ("run" | "result")[] {
  return (["run", "result"] as const).filter((one) => include.includes(`${one}s`));
}

/** Whether this `include` shows what otherwise takes the right to view runs. */
export function includesRuns(include: string[] | undefined): boolean {
  return include?.some((one) => ["runs", "shares", "results"].includes(one)) ?? false;
}
