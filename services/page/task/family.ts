/**
 * A task with its descendants and all their runs, and how what happens moves them.
 * @module
 */
import type { WatchedEvent } from "../../../shared/contract/event.ts";
import type { RunWithTask, Task } from "../../../shared/contract/task.ts";
import { isFailed, isFinal, type ResultStatus } from "../../../shared/node_protocol/status.ts";
import { isOlder } from "../live/order.ts";
import { momentOf } from "../parts/moment.ts";

/** An attempt that was given up while somebody looked. */
export interface EarlierAttempt {
  attempt: number;
  startedAt: string | null;
  endedAt: string;
}

export interface Family {
  task: Task;
  /** The task and its descendants. */
  tasks: ReadonlyMap<number, Task>;
  /** Of all these. */
  runs: ReadonlyMap<number, RunWithTask>;
  /** By run. */
  earlier: ReadonlyMap<number, readonly EarlierAttempt[]>;
  isDeleted: boolean;
}

/** `jobTasks` and `jobRuns` are of the whole job, of which `task` may be a part. */
export function familyOf(
  task: Task,
  { jobTasks, jobRuns }: { jobTasks: readonly Task[]; jobRuns: readonly RunWithTask[] },
): Family {
  const tasks = new Map([[task.id, task]]);
  for (const one of jobTasks.toSorted((left, right) => left.id - right.id)) {
    if (one.parent && tasks.has(one.parent.id)) tasks.set(one.id, one);
  }
  const runs = jobRuns.filter((run) => tasks.has(run.task.id)).map((run) => [run.id, run] as const);
  return { task, tasks, runs: new Map(runs), earlier: new Map(), isDeleted: false };
}

/** The family after these events; what they do not concern stays the same object. */
export function foldFamily(family: Family, events: readonly WatchedEvent[]): Family {
  let { task, isDeleted } = family;
  const tasks = new Map<number, Task>();
  const runs = new Map<number, RunWithTask>();
  const earlier = new Map<number, EarlierAttempt[]>();
  for (const event of events) {
    if (event.name === "task.deleted") isDeleted ||= event.data.task_id === task.id;
    if (event.name !== "result.status") continue;
    const { data, at } = event;
    const itsTask = tasks.get(data.task_id) ?? family.tasks.get(data.task_id);
    if (!itsTask) continue;
    if (itsTask.status !== data.task_status) {
      tasks.set(itsTask.id, { ...itsTask, status: data.task_status as ResultStatus });
    }
    const run = runs.get(data.result_id) ?? family.runs.get(data.result_id);
    if (!run || isOlder(data, run)) continue;
    runs.set(run.id, movedRun(run, { data, at }));
    if (data.attempt > run.attempt) {
      const before = earlier.get(run.id) ?? family.earlier.get(run.id) ?? [];
      const { attempt, started_at: startedAt } = run;
      earlier.set(run.id, [...before, { attempt, startedAt, endedAt: at }]);
    }
  }
  if (tasks.size + runs.size === 0 && isDeleted === family.isDeleted) return family;
  task = tasks.get(task.id) ?? task;
  return {
    task,
    tasks: tasks.size > 0 ? new Map([...family.tasks, ...tasks]) : family.tasks,
    runs: runs.size > 0 ? new Map([...family.runs, ...runs]) : family.runs,
    earlier: earlier.size > 0 ? new Map([...family.earlier, ...earlier]) : family.earlier,
    isDeleted,
  };
}

type StatusEvent = Pick<Extract<WatchedEvent, { name: "result.status" }>, "data" | "at">;

function movedRun(run: RunWithTask, { data, at }: StatusEvent): RunWithTask {
  const status = data.status as ResultStatus;
  const isNew = data.attempt > run.attempt;
  const began = isNew ? null : run.started_at;
  return {
    ...run,
    status,
    attempt: data.attempt,
    held_since: isFinal(status) ? null : data.held_since ?? null,
    started_at: status === "active" ? began ?? at : began,
    finished_at: isFinal(status) ? run.finished_at ?? at : null,
    code: isNew ? null : run.code,
  };
}

/** Whether events tell of what only the hub can show: new subtasks, or with which code it began. */
export function isFamilyStale(family: Family, events: readonly WatchedEvent[]): boolean {
  return events.some((event) => {
    if (event.name === "task.created") {
      const { parent_id, task_id } = event.data;
      return parent_id !== null && family.tasks.has(parent_id) && !family.tasks.has(task_id);
    }
    if (event.name !== "result.status" || !family.tasks.has(event.data.task_id)) return false;
    const run = family.runs.get(event.data.result_id);
    if (!run || run.status === "active" && !anyCode(family)) return true;
    return event.data.task_id === family.task.id && isOver(family);
  });
}

function anyCode(family: Family): boolean {
  for (const run of family.runs.values()) if (run.code !== null) return true;
  return false;
}

/** Whether no share of the task itself goes on. */
export function isOver(family: Family): boolean {
  return ownRuns(family).every((run) => isFinal(run.status));
}

/** The shares of the task itself, by organization. */
export function ownRuns({ task, runs }: Family): RunWithTask[] {
  return [...runs.values()].filter((run) => run.task.id === task.id)
    .sort((one, other) => one.organization.id - other.organization.id);
}

/**
 * The failure that others may have followed from: the first one. Of those that ended together, one
 * that had begun; the others were ended because of it.
 */
export function firstFailure({ runs }: Family): RunWithTask | undefined {
  const failed = [...runs.values()].filter(({ status }) =>
    isFailed(status) && status !== "killed by user"
  );
  const when = ({ finished_at }: RunWithTask) => finished_at ? momentOf(finished_at) : Infinity;
  const begun = ({ started_at, status }: RunWithTask) =>
    started_at !== null || status !== "failed" ? 0 : 1;
  return failed.sort((one, other) =>
    when(one) - when(other) || begun(one) - begun(other) || other.task.id - one.task.id ||
    one.id - other.id
  )[0];
}

/** The runs whose results wait for people at their organizations. */
export function heldRuns({ runs }: Family): RunWithTask[] {
  return [...runs.values()].filter((run) => run.held_since !== null && !isFinal(run.status));
}
