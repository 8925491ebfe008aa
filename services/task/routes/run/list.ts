import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import {
  mapBatches,
  pageAnswer,
  pageOf,
  streamAnswer,
} from "../../../../shared/contract/paging.ts";
import { runList } from "../../../../shared/contract/run.ts";
import { runWithTask } from "../../../../shared/contract/task.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { TaskDeps } from "../../deps.ts";
import { resultBatches, resultPage } from "../../store/shown_result.ts";
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
      const payload = wanted.payload ?? "run";
      if (request.window.limit === undefined) {
        const { total, batches } = await resultBatches(db, payload, request);
        const shown = mapBatches(batches, (rows) => showRuns({ db, ask }, rows, wanted.include));
        return streamAnswer(c, shown, total, wanted);
      }
      const { rows, total } = await resultPage(db, payload, request);
      return pageAnswer(c, await showRuns({ db, ask }, rows, wanted.include), total, wanted);
    },
  );
}
