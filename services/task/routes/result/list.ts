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
import { result, resultList } from "../../../../shared/contract/result.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { TaskDeps } from "../../deps.ts";
import { showResult } from "../../show.ts";
import { resultBatches, resultPage } from "../../store/shown_result.ts";
import { resultRequest } from "./filters.ts";

export function listResults(app: Hono<AppEnv>, { db, ask }: TaskDeps): void {
  app.get(
    "/result",
    allow(["user", "node", "container"], "run:VIEW"),
    query(resultList),
    answers(pageOf(result)),
    async function listResults(c) {
      const wanted = c.req.valid("query");
      const request = await resultRequest({ db, ask }, c.get("principal"), wanted);
      if (request.window.limit === undefined) {
        const { total, batches } = await resultBatches(db, "result", request);
        const shown = mapBatches(batches, (rows) => rows.map(showResult));
        return streamAnswer(c, shown, total, wanted);
      }
      const { rows, total } = await resultPage(db, "result", request);
      return pageAnswer(c, rows.map(showResult), total, wanted);
    },
  );
}
