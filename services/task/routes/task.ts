import { Hono } from "hono";
import { z } from "zod";
import {
  id,
  name,
  nullAsAbsent,
  pageAnswer,
  pageQuery,
  pageWindow,
  parseSort,
  queryId,
  queryInclude,
  text,
} from "../../../shared/contract.ts";
import type { Fragment } from "../../../shared/db.ts";
import { SextantError } from "../../../shared/errors.ts";
import { allow, type AppEnv, body, found, pathId, query } from "../../../shared/http.ts";
import {
  collaborationIds,
  demand,
  isMember,
  mayCollaboration,
  mayOrganization,
  type Principal,
  widestScope,
} from "../../../shared/policy.ts";
import type { RpcOutput } from "../../../shared/rpc_methods.ts";
import type { TaskDeps } from "../app.ts";
import { dispatch } from "../dispatch.ts";
import { isFinal, looksEncrypted, looksPlain, mayTask, taskStatus } from "../rules.ts";
import { showResult, showRun, showTask } from "../show.ts";
import {
  databasesOfTasks,
  insertResults,
  insertTask,
  type NewTask,
  nextRunId,
  progressOfTasks,
  resultsOfTasks,
  statusesOfTask,
  taskById,
  taskPage,
  type TaskRow,
} from "../store.ts";

const database = z.strictObject({
  label: text.pipe(z.string().min(1)),
  query: nullAsAbsent(text),
  sheet_name: nullAsAbsent(text),
  preprocessing: nullAsAbsent(z.array(z.looseObject({ function: text }))),
  arguments: nullAsAbsent(z.record(z.string(), z.unknown())),
});

const newTask = z.object({
  image: text.pipe(z.string().min(1)),
  organizations: z.array(z.object({ id, input: text })).min(1, "must name at least one")
    .refine(
      (list) => new Set(list.map((one) => one.id)).size === list.length,
      "must name each organization once",
    ),
  collaboration_id: nullAsAbsent(id),
  study_id: nullAsAbsent(id),
  name: nullAsAbsent(z.union([z.literal(""), name])),
  description: nullAsAbsent(text.pipe(z.string().max(1024))),
  databases: nullAsAbsent(z.array(database)),
  store_id: nullAsAbsent(id),
}).refine(
  (task) => task.collaboration_id !== undefined || task.study_id !== undefined,
  "collaboration_id or study_id must be given",
);
type NewTaskBody = z.infer<typeof newTask>;

const oneQuery = z.object({ include: queryInclude.optional() });
const listQuery = pageQuery.extend({
  include: queryInclude.optional(),
  init_org_id: queryId.optional(),
  init_user_id: queryId.optional(),
  collaboration_id: queryId.optional(),
  study_id: queryId.optional(),
  parent_id: queryId.optional(),
  job_id: queryId.optional(),
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
  const { db, outbox, ask, watch } = deps;
  const routes = new Hono<AppEnv>();

  /** Tasks as the API shows them, with what `include` asks for. */
  async function show(rows: TaskRow[], include: string[] = []) {
    const ids = rows.map((row) => row.id);
    const [databases, progress] = await Promise.all([
      databasesOfTasks(db, ids),
      progressOfTasks(db, ids),
    ]);
    const tasks = rows.map((row) =>
      showTask(
        row,
        databases.filter((one) => one.task_id === row.id),
        progress.find((one) => one.task_id === row.id),
      )
    );
    if (include.includes("runs")) {
      const runs = await resultsOfTasks(db, ids, "run");
      const nodes = await ask("collaboration", "nodes", {
        collaboration_ids: [...new Set(rows.map((row) => row.collaboration_id))],
      });
      for (const task of tasks) {
        task.runs = runs.filter((run) => run.task_id === task.id).map((run) => showRun(run, nodes));
      }
    }
    if (include.includes("results")) {
      const results = await resultsOfTasks(db, ids, "result");
      for (const task of tasks) {
        task.results = results.filter((one) => one.task_id === task.id).map(showResult);
      }
    }
    return tasks;
  }

  routes.get(
    "/task",
    allow("user node container", "task:VIEW"),
    query(listQuery),
    async function listTasks(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      if (wanted.include?.includes("results")) {
        demand(widestScope(principal, "run:VIEW") !== undefined, "view results");
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
      if (wanted.init_org_id !== undefined) {
        const allowed = mayOrganization(principal, "task:VIEW", wanted.init_org_id) ||
          scope === "OWN";
        demand(allowed, `view the tasks of organization ${wanted.init_org_id}`);
        where.push(db`init_org_id = ${wanted.init_org_id}`);
      }
      for (const column of ["init_user_id", "study_id", "parent_id", "job_id"] as const) {
        const value = wanted[column];
        if (value !== undefined) where.push(db`${db(column)} = ${value}`);
      }
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
      const { rows, total } = await taskPage(db, {
        where,
        order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: true }),
        window: pageWindow(wanted),
      });
      return pageAnswer(c, await show(rows, wanted.include), total, wanted);
    },
  );

  routes.post("/task", allow("user container"), body(newTask), async function createTask(c) {
    const principal = c.get("principal");
    const given = c.req.valid("json");
    const place = await placeOf(given);
    const origin = await originOf(principal, given, place);
    for (const { id, input } of given.organizations) {
      const fits = place.collaboration.encrypted ? looksEncrypted(input) : looksPlain(input);
      if (fits) continue;
      const form = place.collaboration.encrypted
        ? "encrypted (the collaboration is)"
        : "base64 of UTF-8 text (the collaboration is not encrypted)";
      throw new SextantError(
        "invalid_request",
        `The input for organization ${id} must be ${form}.`,
        { errors: { organizations: [`input of organization ${id} has the wrong form`] } },
      );
    }
    const task = await outbox.change(async (change) => {
      const { tx, emit } = change;
      const values: NewTask = {
        name: given.name ?? "",
        description: given.description ?? "",
        collaboration_id: place.collaboration.id,
        ...origin,
        job_id: origin.job_id ?? await nextRunId(tx),
      };
      const databases = (given.databases ?? []).map(({ label, ...parameters }) => ({
        label,
        parameters: JSON.stringify(parameters),
      }));
      const task = await insertTask(tx, values, databases);
      const results = await insertResults(
        tx,
        given.organizations.map(({ id, input }) => ({
          task_id: task.id,
          organization_id: id,
          node_id: place.nodeOf.get(id)!,
          input,
        })),
      );
      for (const result of results) await dispatch(change, task, result, task.created_at);
      emit("task.created", {
        task_id: task.id,
        run_id: task.job_id,
        parent_id: task.parent_id,
        collaboration_id: task.collaboration_id,
        init_org_id: task.init_org_id,
        init_user_id: task.init_user_id,
      });
      return task;
    });
    c.get("log").info("Task created", { task_id: task.id, run_id: task.job_id });
    return c.json((await show([task]))[0], 201);
  });

  /** Where the task is to run; refuses in the contract's order (§3.7). */
  async function placeOf({ collaboration_id, study_id, organizations }: NewTaskBody) {
    const { collaboration, study, nodes } = await ask("collaboration", "scope", {
      ...(collaboration_id === undefined ? {} : { collaboration_id }),
      ...(study_id === undefined ? {} : { study_id }),
    });
    if (study_id !== undefined) found(study ?? undefined, "study", study_id);
    const place = found(
      collaboration ?? undefined,
      "collaboration",
      collaboration_id ?? "of the study",
    );
    if (study && study.collaboration_id !== place.id) {
      throw new SextantError(
        "invalid_request",
        `Study ${study.id} does not belong to collaboration ${place.id}.`,
      );
    }
    const nodeOf = new Map(nodes.map((node) => [node.organization_id, node.id]));
    for (const { id } of organizations) {
      const lacks = !place.organization_ids.includes(id)
        ? `is not in collaboration ${place.id}`
        : study && !study.organization_ids.includes(id)
        ? `is not in study ${study.id}`
        : !nodeOf.has(id)
        ? `has no node in collaboration ${place.id}`
        : undefined;
      if (lacks) throw new SextantError("invalid_request", `Organization ${id} ${lacks}.`);
    }
    return { collaboration: place, nodeOf };
  }

  /** Who the task comes from, and what of it is given by that. A `job_id` of undefined asks for a new one. */
  async function originOf(
    principal: Principal,
    given: NewTaskBody,
    { collaboration }: {
      collaboration: NonNullable<RpcOutput<"collaboration", "scope">["collaboration"]>;
    },
  ) {
    if (given.store_id !== undefined) {
      throw new SextantError("invalid_request", `There is no algorithm store ${given.store_id}.`);
    }
    const study_id = given.study_id ?? null;
    if (principal.kind === "container") {
      const parent = await taskById(db, principal.task_id);
      const open = parent && !isFinal(taskStatus(await statusesOfTask(db, parent.id)));
      demand(open !== undefined && open, "create subtasks of a task that is over");
      demand(given.image === principal.image, "create subtasks with another algorithm");
      demand(
        collaboration.id === principal.collaboration_id,
        "create subtasks in another collaboration",
      );
      return {
        image: parent!.image,
        study_id,
        parent_id: parent!.id,
        job_id: parent!.job_id,
        init_user_id: parent!.init_user_id,
        init_org_id: principal.organization_id,
        algorithm_store_id: parent!.algorithm_store_id,
      };
    }
    demand(
      isMember(principal, collaboration.id),
      "create tasks in a collaboration that your organization is not a member of",
    );
    demand(mayCollaboration(principal, "task:CREATE", collaboration.id), "create tasks there");
    return {
      image: given.image,
      study_id,
      parent_id: null,
      job_id: undefined,
      init_user_id: principal.id,
      init_org_id: principal.organization_id,
      algorithm_store_id: null,
    };
  }

  async function visibleTask(principal: Principal, param: string | undefined): Promise<TaskRow> {
    const taskId = pathId(param);
    const row = found(await taskById(db, taskId), "task", taskId);
    demand(mayTask(principal, "task:VIEW", row), `view task ${taskId}`);
    return row;
  }

  routes.get(
    "/task/:id",
    allow("user node container", "task:VIEW"),
    query(oneQuery),
    async function getTask(c) {
      const row = await visibleTask(c.get("principal"), c.req.param("id"));
      const { include } = c.req.valid("query");
      if (include?.includes("results")) {
        demand(mayTask(c.get("principal"), "run:VIEW", row), `view the results of task ${row.id}`);
      }
      return c.json((await show([row], include))[0]);
    },
  );

  routes.get(
    "/task/:id/status",
    allow("user container", "task:VIEW"),
    query(statusQuery),
    async function getTaskStatus(c) {
      const { id: taskId } = await visibleTask(c.get("principal"), c.req.param("id"));
      const { wait = 0 } = c.req.valid("query");
      const until = performance.now() + wait * 1000;
      const signal = c.req.raw.signal;
      // Listening begins before the first look, so that no change falls between the two.
      let change = watch.changed(taskId, wait * 1000, signal);
      const first = taskStatus(await statusesOfTask(db, taskId));
      let status = first;
      while (status === first && !isFinal(status) && performance.now() < until && !signal.aborted) {
        await change;
        change = watch.changed(taskId, until - performance.now(), signal);
        status = taskStatus(await statusesOfTask(db, taskId));
      }
      return c.json({ status });
    },
  );

  return routes;
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
