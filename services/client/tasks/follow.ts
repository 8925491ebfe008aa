/**
 * A task and its descendants as they move, until the task is over. The feed tells what changes;
 * where it may not be watched, the hub is asked. What counts at the end is what the hub answers.
 * @module
 */
import type { RunWithTask } from "../../../shared/contract/task.ts";
import { isOpen, type ResultStatus } from "../../../shared/node_protocol/status.ts";
import { ForbiddenError } from "../errors.ts";
import type { EventOptions, FeedEvent } from "../events.ts";
import type { runs, tasks } from "../nouns/work.ts";

/** How far an organization's share of a task is. */
export interface Progress {
  runId: number;
  taskId: number;
  organizationId: number;
  status: ResultStatus;
  attempt: number;
  /** Since when the result waits for a person at the organization to release it; else null. */
  heldSince: string | null;
  /** Whether it is a share of a subtask. */
  isSubtask: boolean;
}

/** What a follower hears. */
export type Change =
  | { is: "progress"; progress: Progress }
  | { is: "log"; runId: number; taskId: number; organizationId: number; lines: string[] };

export interface FollowOptions {
  signal?: AbortSignal | undefined;
  onChange?: ((change: Change) => void) | undefined;
  /** Whether the subtasks are followed, too. */
  subtasks?: boolean;
}

export interface Following {
  tasks: ReturnType<typeof tasks>;
  runs: ReturnType<typeof runs>;
  events(options: EventOptions): AsyncGenerator<FeedEvent>;
}

export function createFollow({ tasks, runs, events }: Following) {
  /** Resolves with the task's last status. */
  return async function follow(
    taskId: number,
    { signal, onChange, subtasks = true }: FollowOptions = {},
  ): Promise<ResultStatus> {
    const settings = signal ? { signal } : {};
    const { job_id } = await tasks.get(taskId, settings);
    const known = new Map<number, string>();
    const watched = new Set([taskId]);

    function tell(progress: Progress) {
      const state = `${progress.attempt} ${progress.status} ${progress.heldSince !== null}`;
      if (known.get(progress.runId) === state) return;
      known.set(progress.runId, state);
      onChange?.({ is: "progress", progress });
    }

    /** Asks for all there is to know: at the start, and when something may have been missed. */
    async function look(): Promise<ResultStatus> {
      const status = await tasks.status(taskId, settings);
      if (!onChange) return status;
      const family = subtasks ? await tasks.list({ job_id, sort: "id" }, settings).all() : [];
      const descendants = new Set([taskId]);
      for (const { id, parent } of family) {
        if (parent && descendants.has(parent.id)) descendants.add(id);
      }
      for (const id of descendants) {
        watched.add(id);
        const list = runs.list({ task_id: id, sort: "id", payload: "none" }, settings);
        for (const run of await list.all()) tell(progressOf(run, taskId));
      }
      return status;
    }

    function heard(event: FeedEvent): ResultStatus | undefined {
      if (event.name === "task.created" && subtasks) {
        const { parent_id, task_id } = event.data;
        if (parent_id !== null && watched.has(parent_id)) watched.add(task_id);
      }
      if (event.name === "result.log" && watched.has(event.data.task_id)) {
        const { result_id: runId, task_id, organization_id: organizationId, lines } = event.data;
        onChange?.({ is: "log", runId, taskId: task_id, organizationId, lines });
      }
      if (event.name !== "result.status" || !watched.has(event.data.task_id)) return undefined;
      const { result_id: runId, task_id, organization_id: organizationId, attempt } = event.data;
      tell({
        runId,
        taskId: task_id,
        organizationId,
        attempt,
        status: event.data.status as ResultStatus,
        heldSince: event.data.held_since ?? null,
        isSubtask: task_id !== taskId,
      });
      return task_id === taskId ? event.data.task_status as ResultStatus : undefined;
    }

    async function byFeed(): Promise<ResultStatus> {
      for await (const event of events(settings)) {
        const afresh = event.name === "feed.begun" || event.name === "feed.gap";
        const status = afresh ? await look() : heard(event);
        if (status !== undefined && !isOpen(status)) return await look();
        if (event.name === "task.deleted" && event.data.task_id === taskId) return await look();
      }
      signal?.throwIfAborted();
      throw new Error("The feed has ended.");
    }

    async function byAsking(): Promise<ResultStatus> {
      for (let status = await look();; status = await look()) {
        if (!isOpen(status)) return status;
        await tasks.nextStatus(taskId, settings);
      }
    }

    try {
      return await byFeed();
    } catch (error) {
      // Who may not watch may still see their own task.
      if (!(error instanceof ForbiddenError)) throw error;
      return await byAsking();
    }
  };
}

function progressOf(run: RunWithTask, taskId: number): Progress {
  return {
    runId: run.id,
    taskId: run.task.id,
    organizationId: run.organization.id,
    status: run.status,
    attempt: run.attempt,
    heldSince: run.held_since,
    isSubtask: run.task.id !== taskId,
  };
}
