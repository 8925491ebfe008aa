/**
 * Tasks, runs and events for tests, with what a test does not say filled in.
 * @module
 */
import type { WatchedEvent } from "../../../shared/contract/event.ts";
import { referTo } from "../../../shared/contract/references.ts";
import type { RunWithTask, Task } from "../../../shared/contract/task.ts";

export function aTask(
  { id, parent = null, by = 1, ...rest }:
    & { id: number; parent?: number | null; by?: number }
    & Partial<Omit<Task, "id" | "parent">>,
): Task {
  return {
    id,
    name: `task ${id}`,
    description: "",
    image: "deno:average@1.0.0",
    job_id: 1,
    run_id: 1,
    created_at: "2026-01-01T00:00:00",
    finished_at: null,
    status: "pending",
    complete: false,
    waiting: null,
    timeout_seconds: null,
    collaboration: referTo("collaboration", 1),
    study: null,
    algorithm_store: null,
    parent: referTo("task", parent),
    init_org: referTo("organization", by),
    init_user: referTo("user", 1),
    databases: [],
    runs: "",
    results: "",
    children: "",
    ...rest,
  };
}

export function aRun(
  { id, task = 1, organization = 1, ...rest }:
    & { id: number; task?: number; organization?: number }
    & Partial<Omit<RunWithTask, "id" | "task" | "organization">>,
): RunWithTask {
  return {
    id,
    status: "pending",
    input: null,
    log: null,
    assigned_at: "2026-01-01T00:00:00",
    started_at: null,
    finished_at: null,
    cleanup_at: null,
    blob_storage_used: false,
    attempt: 1,
    code: null,
    held_since: null,
    waiting: null,
    organization: referTo("organization", organization),
    task: referTo("task", task),
    results: referTo("result", id),
    node: {},
    ports: [],
    ...rest,
  };
}

type StatusEvent = Extract<WatchedEvent, { name: "result.status" }>;

export function statusEvent(
  data: Partial<StatusEvent["data"]>,
  at = "2026-01-01T00:00:10.000Z",
): StatusEvent {
  return {
    name: "result.status",
    at,
    data: {
      result_id: 1,
      task_id: 1,
      run_id: 1,
      parent_id: null,
      collaboration_id: 1,
      organization_id: 1,
      init_org_id: 1,
      init_user_id: 1,
      status: "active",
      task_status: "active",
      attempt: 1,
      ...data,
    },
  };
}
