import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { listAnswer, pageOf } from "../../../../shared/contract/paging.ts";
import { result, resultList } from "../../../../shared/contract/result.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { TaskDeps } from "../../deps.ts";
import { showResult } from "../../show.ts";
import { shownResults } from "../../store/shown_result.ts";
import { resultRequest } from "./filters.ts";

export function listResults(app: Hono<AppEnv>, { db, ask }: TaskDeps): void {
  app.get(
    "/result",
    allow(["user", "node", "container"], "run:VIEW"),
    query(resultList),
    answers(pageOf(result)),
    async function listResults(c) {
      const wanted = c.req.valid("query");
      return await listAnswer(c, {
        wanted,
        source: shownResults(db, "result"),
        request: await resultRequest({ db, ask }, c.get("principal"), wanted),
        show: (rows) => rows.map(showResult),
      });
    },
  );
}
