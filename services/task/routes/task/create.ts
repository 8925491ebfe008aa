import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { newTask, task } from "../../../../shared/contract/task.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { idempotent } from "../../../../shared/storage/idempotency.ts";
import { createAndShow } from "../../creation/create.ts";
import type { TaskDeps } from "../../deps.ts";

// No permission on this line: a container needs none, and a user's is looked at in
// `creation/origin.ts`.
export function createTask(app: Hono<AppEnv>, deps: TaskDeps): void {
  app.post(
    "/task",
    allow(["user", "container"]),
    body(newTask),
    answers(task, {
      status: 201,
      does: "Posts a task: its nodes are told at once, or when they come online.",
    }),
    idempotent(deps.db),
    async function createTask(c) {
      return await createAndShow(deps, c, c.req.valid("json"));
    },
  );
}
