import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { task, taskQuery } from "../../../../shared/contract/task.ts";
import { query } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import type { TaskDeps } from "../../deps.ts";
import { mayTask } from "../../rules.ts";
import { requireTask } from "./require_task.ts";
import { includesRuns, MOST_BYTES, showTasksWith, tooLargeToShow } from "./show_tasks.ts";

export function getTask(app: Hono<AppEnv>, { db, ask }: TaskDeps): void {
  app.get(
    "/task/:id",
    allow(["user", "node", "container"], "task:VIEW"),
    query(taskQuery),
    answers(task),
    async function getTask(c) {
      const principal = c.get("principal");
      const id = c.req.param("id");
      const row = await requireTask(db, principal, { id, permission: "task:VIEW" });
      const { include } = c.req.valid("query");
      if (includesRuns(include)) {
        demand(mayTask(principal, "run:VIEW", row), `view the runs and results of task ${row.id}`);
      }
      await demandFits(db, row.id, include);
      const [shown] = await showTasksWith({ db, ask }, principal, { rows: [row], include });
      return c.json(shown);
    },
  );
}

async function demandFits(db: TaskDeps["db"], taskId: number, include?: string[]): Promise<void> {
  const tooLarge = await tooLargeToShow(db, [taskId], include);
  if (!tooLarge.has(taskId)) return;
  throw new SextantError(
    "payload_too_large",
    `What task ${taskId} is to be shown with (include=${include!.join()}) is larger than the ` +
      `${
        MOST_BYTES / 2 ** 20
      } MiB that come in one answer. Ask for it in pages, without include: ` +
      `/result?task_id=${taskId}&page=1&per_page=10, and /run in the same way.`,
  );
}
