/**
 * What is computed: tasks, runs, results, columns.
 * @module
 */
import type { z } from "zod";
import { said } from "../../../shared/contract/answers.ts";
import type { columnRequest } from "../../../shared/contract/column.ts";
import { result, type resultList } from "../../../shared/contract/result.ts";
import type { runList } from "../../../shared/contract/run.ts";
import {
  type newTask,
  runWithTask,
  task,
  type taskList,
  taskStatusAnswer,
} from "../../../shared/contract/task.ts";
import type { Calls } from "../calls.ts";
import type { Filters, ListOptions } from "../lists.ts";
import { type CallSettings, nounParts } from "./noun.ts";

/** How long the hub holds an answer that waits for a change. */
const WAIT_SECONDS = 30;

export function tasks(calls: Calls) {
  const parts = nounParts(calls, "/task", task);
  return {
    list: (filters?: Filters<typeof taskList>, options?: ListOptions) =>
      parts.list(filters, options),
    /** With `include` also its runs or results. */
    get: (id: number, { include, ...options }: CallSettings & { include?: string[] } = {}) =>
      parts.get(id, { include: include?.join() }, options),
    /** As it is; the inputs are payloads already. `client.post` writes them, and encrypts them. */
    create: (body: z.input<typeof newTask>, options?: CallSettings) =>
      parts.create(body, task, options),
    delete: (id: number, options?: CallSettings) => parts.delete(id, undefined, options),
    /** Ends it and its subtasks, at all nodes. */
    kill: (id: number, options?: CallSettings) =>
      calls.json("POST", "/kill/task", said, { ...options, body: { id }, once: true }),
    async status(id: number, options?: CallSettings) {
      return (await calls.json("GET", `/task/${id}/status`, taskStatusAnswer, options)).status;
    },
    /** As soon as it is another one than now, or after half a minute. */
    async nextStatus(id: number, options?: CallSettings) {
      const query = { wait: WAIT_SECONDS };
      const path = `/task/${id}/status`;
      return (await calls.json("GET", path, taskStatusAnswer, { ...options, query })).status;
    },
    /** A task that asks nodes for the names of columns. */
    askForColumns: (body: z.input<typeof columnRequest>, options?: CallSettings) =>
      calls.json("POST", "/column", task, { ...options, body }),
  };
}

export function runs(calls: Calls) {
  const parts = nounParts(calls, "/run", runWithTask);
  return {
    list: (filters?: Filters<typeof runList>, options?: ListOptions) =>
      parts.list(filters, options),
    /** Its input and its log may be large; what of these is wanted is said by `payload`. */
    get: (
      id: number,
      { payload, task, ...options }: CallSettings & {
        payload?: "none" | "log";
        /** Whether `task` is to be the task itself. */
        task?: boolean;
      } = {},
    ) => parts.get(id, { payload, include: task ? "task" : undefined }, options),
  };
}

export function results(calls: Calls) {
  const parts = nounParts(calls, "/result", result);
  return {
    /** As they are stored; `client.results` opens them. */
    list: (filters?: Filters<typeof resultList>, options?: ListOptions) =>
      parts.list(filters, options),
    get: (id: number, options?: CallSettings) => parts.get(id, undefined, options),
  };
}
