import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { result } from "../../../../shared/contract/result.ts";
import { found, pathId } from "../../../../shared/contract/validate.ts";
import type { TaskDeps } from "../../deps.ts";
import { mayTask } from "../../rules.ts";
import { showResult } from "../../show.ts";
import { resultOfTaskById } from "../../store/shown_result.ts";

export function getResult(app: Hono<AppEnv>, { db }: TaskDeps): void {
  app.get(
    "/result/:id",
    allow(["user", "node", "container"], "run:VIEW"),
    answers(result),
    async function getResult(c) {
      const resultId = pathId(c.req.param("id"));
      const row = found(await resultOfTaskById(db, resultId, "result"), "result", resultId);
      demand(mayTask(c.get("principal"), "run:VIEW", row), `view result ${resultId}`);
      return c.json(showResult(row));
    },
  );
}
