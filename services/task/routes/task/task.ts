import { Hono } from "hono";
import { z } from "zod";
import {
  pageAnswer,
  pageQuery,
  pageWindow,
  parseSort,
} from "../../../../shared/contract/paging.ts";
import { queryId, queryInclude, text } from "../../../../shared/contract/fields.ts";
import type { Fragment } from "../../../../shared/storage/db.ts";
import { allow } from "../../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../../shared/contract/app.ts";
import { body, found, pathId, query } from "../../../../shared/contract/validate.ts";
import { idempotent } from "../../../../shared/storage/idempotency.ts";
import {
  collaborationIds,
  demand,
  isMember,
  mayCollaboration,
  mayOrganization,
  type Principal,
  widestScope,
} from "../../../../shared/contract/permissions.ts";
import type { TaskDeps } from "../../deps.ts";
import { createTasks, newTask } from "../../creation/create.ts";
import { removeTasks } from "../../changes/task.ts";
import { isFinal } from "../../../../shared/node_protocol/status.ts";
import { mayTask, taskStatus } from "../../rules.ts";
import { showResult, showRun } from "../../show.ts";
import { resultsOfTasks } from "../../store/shown_result.ts";
import {
  keptCount,
  lockFamily,
  statusesOfTask,
  taskById,
  taskPage,
  type TaskRow,
} from "../../store/task.ts";
import { portsOfResults } from "../../store/port.ts";
import { showTasks } from "./shown_tasks.ts";
import { referenceConditions } from "./filters.ts";

const oneQuery = z.object({ include: queryInclude.optional() });
const listQuery = pageQuery.extend({
  include: queryInclude.optional(),
  init_org_id: queryId.optional(),
  init_user_id: queryId.optional(),
  collaboration_id: queryId.optional(),
  study_id: queryId.optional(),
  parent_id: queryId.optional(),
  job_id: queryId.optional(),
  run_id: queryId.optional(),
  store_id: queryId.optional(),
  name: text.optional(),
  image: text.optional(),
  description: text.optional(),
  database: text.optional(),
  status: text.optional(),
  is_user_created: z.string().regex(/^\d+$/, "must be an integer").transform(Number).optional(),
});

const MAX_WAIT_SECONDS = 60;
const statusQuery = z.object({
  /** Beyond the field's API: hold the answer until the status changes, at most so many seconds. */
  wait: z.string().regex(/^\d{1,4}(\.\d+)?$/, "must be seconds").transform(Number)
    .pipe(z.number().max(MAX_WAIT_SECONDS, `must be at most ${MAX_WAIT_SECONDS}`)).optional(),
});

const SORTABLE = ["id", "name", "image", "description", "job_id", "created_at"];

export function taskRoutes(deps: TaskDeps): Hono<AppEnv> {
  const { db, outbox, ask, watch, kills, now } = deps;
  const create = createTasks(deps);
  const routes = new Hono<AppEnv>();

  /**
   * Tasks as the API shows them, with what `include` asks for where the caller may see it: elsewhere the link stays.
   */
  async function show(principal: Principal, rows: TaskRow[], include: string[] = []) {
    const tasks = await showTasks(db, rows);
    const ids = rows.filter((row) => mayTask(principal, "run:VIEW", row)).map((row) => row.id);
    const visible = tasks.filter((task) => ids.includes(task.id));
    if (include.includes("runs")) {
      const runs = await resultsOfTasks(db, ids, "run");
      const ports = await portsOfResults(db, runs.map((run) => run.id));
      const nodes = await ask("collaboration", "nodes", {
        collaboration_ids: [...new Set(rows.map((row) => row.collaboration_id))],
      });
      const runsOf = Map.groupBy(runs, (run) => run.task_id);
      for (const task of visible) {
        task.runs = (runsOf.get(task.id) ?? []).map((run) => showRun(run, nodes, ports));
      }
    }
    if (include.includes("results")) {
      const results = await resultsOfTasks(db, ids, "result");
      const resultsOf = Map.groupBy(results, (one) => one.task_id);
      for (const task of visible) task.results = (resultsOf.get(task.id) ?? []).map(showResult);
    }
    return tasks;
  }

  routes.get(
    "/task",
    allow(["user", "node", "container"], "task:VIEW"),
    query(listQuery),
    async function listTasks(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      if (wanted.include?.some(showsRuns)) {
        demand(widestScope(principal, "run:VIEW") !== undefined, "view runs and results");
      }
      const where: Fragment[] = [];
      const scope = widestScope(principal, "task:VIEW");
      if (scope === "COLLABORATION") {
        where.push(db`collaboration_id = any(${collaborationIds(principal)})`);
      } else if (scope === "ORGANIZATION") {
        where.push(db`init_org_id = ${principal.organization_id}`);
      } else if (scope === "OWN") {
        where.push(db`init_user_id = ${principal.id}`);
      }
      if (wanted.collaboration_id !== undefined) {
        const inReach = mayCollaboration(principal, "task:VIEW", wanted.collaboration_id) ||
          (scope !== "COLLABORATION" && isMember(principal, wanted.collaboration_id));
        demand(inReach, `view the tasks of collaboration ${wanted.collaboration_id}`);
        where.push(db`collaboration_id = ${wanted.collaboration_id}`);
      }
      // As long as only collaborations narrow the list, nobody needs to count.
      const counted = scope === "GLOBAL" || scope === "COLLABORATION" ? where.length : -1;
      if (wanted.init_org_id !== undefined) {
        const allowed = mayOrganization(principal, "task:VIEW", wanted.init_org_id) ||
          scope === "OWN";
        demand(allowed, `view the tasks of organization ${wanted.init_org_id}`);
        where.push(db`init_org_id = ${wanted.init_org_id}`);
      }
      where.push(...await referenceConditions(deps, principal, wanted));
      for (const column of ["name", "image", "description"] as const) {
        const pattern = wanted[column];
        if (pattern !== undefined) where.push(db`${db(column)} like ${pattern} escape ''`);
      }
      if (wanted.database !== undefined) {
        where.push(db`id in (select task_id from task_database where label = ${wanted.database})`);
      }
      if (wanted.is_user_created !== undefined) {
        where.push(wanted.is_user_created ? db`parent_id is null` : db`parent_id is not null`);
      }
      if (wanted.status !== undefined) {
        where.push(db`${db.unsafe(STATUS_OF_TASK)} = ${wanted.status}` as Fragment);
      }
      const places = wanted.collaboration_id !== undefined
        ? [wanted.collaboration_id]
        : scope === "GLOBAL"
        ? "all"
        : collaborationIds(principal);
      const { rows, total } = await taskPage(db, {
        where,
        total: where.length === counted ? keptCount(db, "task", places) : undefined,
        order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: true }),
        window: pageWindow(wanted),
      });
      return pageAnswer(c, await show(principal, rows, wanted.include), total, wanted);
    },
  );

  routes.post(
    "/task",
    allow(["user", "container"]),
    body(newTask),
    idempotent(db),
    async function createTask(c) {
      return await create(c, c.req.valid("json"));
    },
  );

  async function visibleTask(principal: Principal, param: string | undefined): Promise<TaskRow> {
    const taskId = pathId(param);
    const row = found(await taskById(db, taskId), "task", taskId);
    demand(mayTask(principal, "task:VIEW", row), `view task ${taskId}`);
    return row;
  }

  routes.get(
    "/task/:id",
    allow(["user", "node", "container"], "task:VIEW"),
    query(oneQuery),
    async function getTask(c) {
      const principal = c.get("principal");
      const row = await visibleTask(principal, c.req.param("id"));
      const { include } = c.req.valid("query");
      if (include?.some(showsRuns)) {
        demand(mayTask(principal, "run:VIEW", row), `view the runs and results of task ${row.id}`);
      }
      return c.json((await show(principal, [row], include))[0]);
    },
  );

  /** Throws 404 when the task is gone: without results it would look completed. */
  async function statusOf(taskId: number): Promise<string> {
    const statuses = await statusesOfTask(db, taskId);
    if (statuses.length === 0) found(await taskById(db, taskId), "task", taskId);
    return taskStatus(statuses);
  }

  routes.get(
    "/task/:id/status",
    allow(["user", "container"], "task:VIEW"),
    query(statusQuery),
    async function getTaskStatus(c) {
      const { id: taskId } = await visibleTask(c.get("principal"), c.req.param("id"));
      const { wait = 0 } = c.req.valid("query");
      const until = performance.now() + wait * 1000;
      const answered = new AbortController();
      const signal = AbortSignal.any([c.req.raw.signal, answered.signal]);
      const mayWait = () => performance.now() < until && !signal.aborted && !watch.closed;
      try {
        // Listening begins before the first look, so that no change falls between the two.
        let change = watch.changed(taskId, wait * 1000, signal);
        const first = await statusOf(taskId);
        let status = first;
        while (status === first && !isFinal(status) && mayWait()) {
          await change;
          change = watch.changed(taskId, until - performance.now(), signal);
          status = await statusOf(taskId);
        }
        return c.json({ status });
      } finally {
        // The last listening is for a change that nobody waits for any more.
        answered.abort();
      }
    },
  );

  routes.delete("/task/:id", allow(["user"], "task:DELETE"), async function deleteTask(c) {
    const taskId = pathId(c.req.param("id"));
    const root = found(await taskById(db, taskId), "task", taskId);
    demand(mayTask(c.get("principal"), "task:DELETE", root), `delete task ${taskId}`);
    const orders = await outbox.change(async (change) => {
      const family = await lockFamily(change.tx, root);
      return await removeTasks(change, family, { at: now(), reason: "The task was deleted." });
    });
    kills.tell(orders);
    c.get("log").info("Task deleted", { task_id: taskId, killed: orders.length });
    return c.json({ msg: `Task ${taskId}, its results and all its subtasks are deleted.` });
  });

  return routes;
}

/** Whether this `include` shows what otherwise takes the right to view runs. */
function showsRuns(include: string): boolean {
  return include === "runs" || include === "results";
}

/** `taskStatus` of rules.ts in SQL, for the filter. */
const STATUS_OF_TASK = `(
  select case
    when count(distinct status) filter (where failed) = 1 then min(status) filter (where failed)
    when bool_or(failed) then 'failed'
    when bool_or(status = 'active') then 'active'
    when bool_or(status = 'initializing') then 'initializing'
    when bool_or(status = 'pending') then 'pending'
    else 'completed' end
  from (select status, status not in ('pending', 'initializing', 'active', 'completed') as failed
        from result where result.task_id = task.id) as share)`;
