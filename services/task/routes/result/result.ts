import { Hono } from "hono";
import { pageAnswer, pageWindow, parseSort } from "../../../../shared/contract/paging.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../../shared/contract/app.ts";
import { found, pathId, query } from "../../../../shared/contract/validate.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import type { TaskDeps } from "../../deps.ts";
import { mayTask } from "../../rules.ts";
import { showResult } from "../../show.ts";
import { resultOfTaskById, resultPage } from "../../store/shown_result.ts";
import { RESULT_SORTABLE, resultConditions, resultListQuery } from "./filters.ts";

export function resultRoutes(deps: TaskDeps): Hono<AppEnv> {
  const { db } = deps;
  const routes = new Hono<AppEnv>();

  routes.get(
    "/result",
    allow(["user", "node", "container"], "run:VIEW"),
    query(resultListQuery),
    async function listResults(c) {
      const wanted = c.req.valid("query");
      const { rows, total } = await resultPage(db, "result", {
        ...await resultConditions(deps, c.get("principal"), wanted),
        order: parseSort(wanted.sort, RESULT_SORTABLE, { column: "id", descending: true }),
        window: pageWindow(wanted),
      });
      return pageAnswer(c, rows.map(showResult), total, wanted);
    },
  );

  routes.get(
    "/result/:id",
    allow(["user", "node", "container"], "run:VIEW"),
    async function getResult(c) {
      const resultId = pathId(c.req.param("id"));
      const row = found(await resultOfTaskById(db, resultId, "result"), "result", resultId);
      demand(mayTask(c.get("principal"), "run:VIEW", row), `view result ${resultId}`);
      return c.json(showResult(row));
    },
  );

  return routes;
}
