/**
 * A page of the list of tasks, and how what happens moves it.
 * @module
 */
import type { WatchedEvent } from "../../../shared/contract/event.ts";
import type { Share, Task } from "../../../shared/contract/task.ts";
import { isFinal, type ResultStatus } from "../../../shared/node_protocol/status.ts";
import { isOlder } from "../live/order.ts";
import type { WorkFilters } from "./filters.ts";

export interface WorkPage {
  tasks: readonly Task[];
  /** How many pages there are, and how many tasks on all of them. */
  pages: number;
  total: number;
  /** Tasks that were created since, and that the list may have. */
  came: number;
}

/** The page after these events; tasks that they do not concern stay the same objects. */
export function foldPage(
  page: WorkPage,
  events: readonly WatchedEvent[],
  filters: WorkFilters,
): WorkPage {
  const changed = new Map<number, Task | undefined>();
  let came = page.came;
  const byId = new Map(page.tasks.map((task) => [task.id, task]));
  for (const event of events) {
    if (event.name === "task.created") {
      if (mayBelong(event.data, filters)) came++;
    } else if (event.name === "task.deleted") {
      if (byId.has(event.data.task_id)) changed.set(event.data.task_id, undefined);
    } else if (event.name === "result.status") {
      const { task_id } = event.data;
      const task = changed.has(task_id) ? changed.get(task_id) : byId.get(task_id);
      const next = task && moved(task, event.data);
      if (next !== task) changed.set(task_id, next);
    }
  }
  if (changed.size === 0) return came === page.came ? page : { ...page, came };
  const tasks = page.tasks.flatMap((task) =>
    changed.has(task.id) ? changed.get(task.id) ?? [] : task
  );
  return { ...page, tasks, came };
}

/** Whether only the hub can tell what the page is now. */
export function isPageStale(events: readonly WatchedEvent[], filters: WorkFilters): boolean {
  return events.some((event) => {
    // From a later page nothing is taken away while it is read.
    if (event.name === "task.created") return filters.page === 1 && mayBelong(event.data, filters);
    return event.name === "result.status" && filters.status !== "" && filters.page === 1;
  });
}

type StatusData = Extract<WatchedEvent, { name: "result.status" }>["data"];
type CreatedData = Extract<WatchedEvent, { name: "task.created" }>["data"];

/** Whether the list may have it, as far as the event tells. */
function mayBelong({ parent_id, collaboration_id }: CreatedData, filters: WorkFilters): boolean {
  if (parent_id !== null && !filters.subtasks) return false;
  return filters.collaboration === "" || Number(filters.collaboration) === collaboration_id;
}

function moved(task: Task, data: StatusData): Task {
  const status = data.task_status as ResultStatus;
  const shares = task.shares && movedShares(task.shares, data);
  if (shares === task.shares && shares && status === task.status) return task;
  return {
    ...task,
    status,
    complete: shares ? shares.every((one) => isFinal(one.status)) : isFinal(status),
    ...(shares ? { shares } : {}),
  };
}

function movedShares(shares: Share[], data: StatusData): Share[] {
  const index = shares.findIndex((one) => one.id === data.result_id);
  if (index === -1 || isOlder(data, shares[index]!)) return shares;
  return shares.with(index, {
    ...shares[index]!,
    status: data.status as ResultStatus,
    attempt: data.attempt,
    held_since: data.held_since ?? null,
  });
}
