import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { taskStatusAnswer, taskStatusQuery } from "../../../../shared/contract/task.ts";
import { found, query } from "../../../../shared/contract/validate.ts";
import { isFinal, type ResultStatus } from "../../../../shared/node_protocol/status.ts";
import type { Db } from "../../../../shared/storage/db.ts";
import type { TaskDeps } from "../../deps.ts";
import { taskStatus } from "../../rules.ts";
import { statusesOfTask, taskById } from "../../store/task.ts";
import { requireTask } from "./require_task.ts";

export function getTaskStatus(app: Hono<AppEnv>, { db, watch }: TaskDeps): void {
  app.get(
    "/task/:id/status",
    allow(["user", "container"], "task:VIEW"),
    query(taskStatusQuery),
    answers(taskStatusAnswer, {
      does: "Waits, if asked to, until the status is another one; beyond v6's API.",
    }),
    async function getTaskStatus(c) {
      const given = c.req.param("id");
      const { id: taskId } = await requireTask(db, c.get("principal"), {
        id: given,
        permission: "task:VIEW",
      });
      const { wait = 0 } = c.req.valid("query");
      const until = performance.now() + wait * 1000;
      const answered = new AbortController();
      const signal = AbortSignal.any([c.req.raw.signal, answered.signal]);
      const mayWait = () => performance.now() < until && !signal.aborted && !watch.closed;
      try {
        // Listening begins before the first look, so that no change falls between the two.
        let change = watch.changed(taskId, wait * 1000, signal);
        const first = await statusOf(db, taskId);
        let status = first;
        while (status === first && !isFinal(status) && mayWait()) {
          await change;
          change = watch.changed(taskId, until - performance.now(), signal);
          status = await statusOf(db, taskId);
        }
        return c.json({ status });
      } finally {
        // The last listening is for a change that nobody waits for any more.
        answered.abort();
      }
    },
  );
}

/** Throws 404 when the task is gone: without results it would look completed. */
async function statusOf(db: Db, taskId: number): Promise<ResultStatus> {
  const statuses = await statusesOfTask(db, taskId);
  if (statuses.length === 0) found(await taskById(db, taskId), "task", taskId);
  return taskStatus(statuses);
}
