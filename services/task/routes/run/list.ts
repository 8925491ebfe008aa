import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { pageAnswer, pageOf } from "../../../../shared/contract/paging.ts";
import { runList } from "../../../../shared/contract/run.ts";
import { runWithTask } from "../../../../shared/contract/task.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { TaskDeps } from "../../deps.ts";
import { resultPage } from "../../store/shown_result.ts";
import { resultRequest } from "../result/filters.ts";
import { showRuns } from "./show_runs.ts";

export function listRuns(app: Hono<AppEnv>, { db, ask }: TaskDeps): void {
  app.get(
    "/run",
    allow(["user", "node", "container"], "run:VIEW"),
    query(runList),
    answers(pageOf(runWithTask)),
    async function listRuns(c) {
      const wanted = c.req.valid("query");
      const request = await resultRequest({ db, ask }, c.get("principal"), wanted);
      const { rows, total } = await resultPage(db, wanted.payload ?? "run", request);
      return pageAnswer(c, await showRuns({ db, ask }, rows, wanted.include), total, wanted);
    },
  );
}
