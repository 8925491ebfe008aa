import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { listAnswer, pageOf } from "../../../../shared/contract/paging.ts";
import { runList } from "../../../../shared/contract/run.ts";
import { runWithTask } from "../../../../shared/contract/task.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { TaskDeps } from "../../deps.ts";
import { shownResults } from "../../store/shown_result.ts";
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
      return await listAnswer(c, {
        wanted,
        source: shownResults(db, wanted.payload ?? "run"),
        request: await resultRequest({ db, ask }, c.get("principal"), wanted),
        show: (rows) => showRuns({ db, ask }, rows, wanted.include),
      });
    },
  );
}
