import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { runQuery } from "../../../../shared/contract/run.ts";
import { runWithTask } from "../../../../shared/contract/task.ts";
import { found, pathId, query } from "../../../../shared/contract/validate.ts";
import type { TaskDeps } from "../../deps.ts";
import { mayTask } from "../../rules.ts";
import { resultOfTaskById } from "../../store/shown_result.ts";
import { showRuns } from "./show_runs.ts";

export function getRun(app: Hono<AppEnv>, { db, ask }: TaskDeps): void {
  app.get(
    "/run/:id",
    allow(["user", "node", "container"], "run:VIEW"),
    query(runQuery),
    answers(runWithTask),
    async function getRun(c) {
      const runId = pathId(c.req.param("id"));
      const { include, payload = "run" } = c.req.valid("query");
      const row = found(await resultOfTaskById(db, runId, payload), "run", runId);
      demand(mayTask(c.get("principal"), "run:VIEW", row), `view run ${runId}`);
      const [shown] = await showRuns({ db, ask }, [row], include);
      return c.json(shown);
    },
  );
}
