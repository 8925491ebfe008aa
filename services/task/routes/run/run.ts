import { Hono } from "hono";
import { z } from "zod";
import { pageAnswer, pageWindow, parseSort } from "../../../../shared/contract/paging.ts";
import { queryInclude } from "../../../../shared/contract/fields.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../../shared/contract/app.ts";
import { body, found, pathId, query } from "../../../../shared/contract/validate.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import type { TaskDeps } from "../../deps.ts";
import { patchResult, runPatch } from "../../changes/run.ts";
import { isAtNode, mayTask } from "../../rules.ts";
import { showRun } from "../../show.ts";
import { resultOfTaskById, type ResultOfTaskRow, resultPage } from "../../store/shown_result.ts";
import { tasksById } from "../../store/task.ts";
import { portsOfResults } from "../../store/port.ts";
import { showTasks } from "../task/shown_tasks.ts";
import { RESULT_SORTABLE, resultConditions, resultListQuery } from "../result/filters.ts";

const oneQuery = z.object({ include: queryInclude.optional() });
const listQuery = resultListQuery.extend({ include: queryInclude.optional() });

export function runRoutes(deps: TaskDeps): Hono<AppEnv> {
  const { db, ask } = deps;
  const routes = new Hono<AppEnv>();

  async function show(rows: ResultOfTaskRow[], include: string[] | undefined) {
    const nodes = await ask("collaboration", "nodes", {
      collaboration_ids: [...new Set(rows.map((row) => row.collaboration_id))],
    });
    const ports = await portsOfResults(db, rows.map((row) => row.id));
    const runs = rows.map((row) => showRun(row, nodes, ports));
    if (!include?.includes("task")) return runs;
    const ids = [...new Set(rows.map((row) => row.task_id))];
    const tasks = await showTasks(db, await tasksById(db, ids));
    const taskOf = new Map(tasks.map(({ runs: _, ...task }) => [task.id, task]));
    // One that was deleted just now stays a link.
    return runs.map((run, index) => ({
      ...run,
      task: taskOf.get(rows[index]!.task_id) ?? run.task,
    }));
  }

  routes.get(
    "/run",
    allow(["user", "node", "container"], "run:VIEW"),
    query(listQuery),
    async function listRuns(c) {
      const wanted = c.req.valid("query");
      const { rows, total } = await resultPage(db, "run", {
        ...await resultConditions(deps, c.get("principal"), wanted),
        order: parseSort(wanted.sort, RESULT_SORTABLE, { column: "id", descending: true }),
        window: pageWindow(wanted),
      });
      return pageAnswer(c, await show(rows, wanted.include), total, wanted);
    },
  );

  routes.get(
    "/run/:id",
    allow(["user", "node", "container"], "run:VIEW"),
    query(oneQuery),
    async function getRun(c) {
      const runId = pathId(c.req.param("id"));
      const row = found(await resultOfTaskById(db, runId, "run"), "run", runId);
      demand(mayTask(c.get("principal"), "run:VIEW", row), `view run ${runId}`);
      return c.json((await show([row], c.req.valid("query").include))[0]);
    },
  );

  // How the field's own nodes report. Ours report to the broker, where the attempt counts as well.
  routes.patch("/run/:id", allow(["node"]), body(runPatch), async function patchRun(c) {
    const principal = c.get("principal");
    const runId = pathId(c.req.param("id"));
    const row = found(await resultOfTaskById(db, runId, "result"), "run", runId);
    demand(isAtNode(principal, row), `change run ${runId}`);
    await patchResult(deps, principal, row, c.req.valid("json"));
    const changed = found(await resultOfTaskById(db, runId, "run"), "run", runId);
    return c.json((await show([changed], undefined))[0]);
  });

  return routes;
}
