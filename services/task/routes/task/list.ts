import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { listAnswer, pageOf, parseSort } from "../../../../shared/contract/paging.ts";
import { demand, widestScope } from "../../../../shared/contract/permissions.ts";
import { task, taskList } from "../../../../shared/contract/task.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { TaskDeps } from "../../deps.ts";
import { bytesOfResults } from "../../store/shown_result.ts";
import { taskRows } from "../../store/task.ts";
import { taskConditions } from "./filters.ts";
import { includesRuns, payloadsOf, showTasksWith } from "./show_tasks.ts";

const SORTABLE = ["id", "name", "image", "description", "job_id", "created_at"];

/** Tasks that are in memory at once, together with their runs or results. */
const WITH_RUNS = 50;

export function listTasks(app: Hono<AppEnv>, { db, ask }: TaskDeps): void {
  app.get(
    "/task",
    allow(["user", "node", "container"], "task:VIEW"),
    query(taskList),
    answers(pageOf(task)),
    async function listTasks(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      const { include } = wanted;
      if (includesRuns(include)) {
        demand(widestScope(principal, "run:VIEW") !== undefined, "view runs and results");
      }
      return await listAnswer(c, {
        wanted,
        source: taskRows(
          db,
          include === undefined ? {} : {
            batch: WITH_RUNS,
            bytes: bytesOfResults(db, payloadsOf(include)),
          },
        ),
        request: {
          ...await taskConditions({ db, ask }, principal, wanted),
          order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: true }),
        },
        show: (rows) => showTasksWith({ db, ask }, principal, { rows, include }),
      });
    },
  );
}
