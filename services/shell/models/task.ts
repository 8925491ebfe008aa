import type { Db } from "../../../shared/storage/db.ts";
import { isFinal } from "../../../shared/node_protocol/status.ts";
import { taskStatus } from "../../task/rules.ts";
import { nextRunId } from "../../task/store/task.ts";
import type { Description, Row, Write } from "../description.ts";
import { dispatchTask } from "../dispatch.ts";
import { ShellError } from "../errors.ts";
import { counted } from "../words.ts";
import { family, removeTasks } from "./task_removal.ts";

const NOT_DISPATCHED =
  "A task saved here is stored, but no node picks it up: only tasks posted to the API are dispatched. " +
  "To dispatch it on purpose: await task.dispatch([organization, ...], input).";

function statusesOf(row: Row): string[] {
  return row.statuses as string[];
}

export const task: Description = {
  name: "Task",
  service: "task",
  table: "task",
  meaning: "A question to some organizations of a collaboration; each has a result of its own.",
  fields: {
    id: {
      column: "id",
      type: "integer",
      readOnly: true,
      meaning: "number, given when it is saved",
    },
    name: { column: "name", type: "text", required: true, meaning: "its name" },
    description: { column: "description", type: "text", meaning: "what it is for" },
    image: { column: "image", type: "text", required: true, meaning: "the algorithm" },
    runId: {
      column: "job_id",
      type: "integer",
      required: true,
      meaning: "shared with its descendants; from Task.nextRunId() or the parent",
    },
    createdAt: { column: "created_at", type: "date", readOnly: true, meaning: "when it was made" },
  },
  virtuals: {
    status: {
      type: "text",
      meaning: "out of its results",
      get: (row) => taskStatus(statusesOf(row)),
    },
    complete: {
      type: "boolean",
      meaning: "whether all its results are finished",
      get: (row) => statusesOf(row).every(isFinal),
    },
    database: {
      type: "text",
      settable: true,
      meaning: "label of the database it reads",
      get: (row) => (row.databases as { label: string }[])[0]?.label ?? null,
    },
    databases: {
      type: "list",
      settable: true,
      hidden: true,
      meaning: "all it reads: labels, or {label, query, …}",
      get: (row) => row.databases,
    },
  },
  extraColumns: (tx) =>
    tx`(select coalesce(array_agg(result.status), '{}') from result where task_id = task.id)
         as statuses,
       (select coalesce(json_agg(
          json_build_object('label', label)::jsonb || parameters::jsonb order by position), '[]')
        from task_database where task_id = task.id) as databases`,
  relations: {
    collaboration: {
      kind: "one",
      model: "Collaboration",
      column: "collaboration_id",
      required: true,
      meaning: "where it is asked",
    },
    study: { kind: "one", model: "Study", column: "study_id", meaning: "the part of it, if any" },
    parent: { kind: "one", model: "Task", column: "parent_id", meaning: "the task that made it" },
    initiator: {
      kind: "one",
      model: "Organization",
      column: "init_org_id",
      required: true,
      meaning: "who asks",
    },
    user: {
      kind: "one",
      model: "User",
      column: "init_user_id",
      required: true,
      otherwise: "the initiator's first user, else the hub's",
      meaning: "on whose behalf",
    },
    children: { kind: "back", model: "Task", column: "parent_id", meaning: "the tasks it made" },
    results: { kind: "back", model: "Result", column: "task_id", meaning: "one per organization" },
  },
  lookups: { getByName: ["name"], getByRunId: ["runId"] },
  notes: [
    NOT_DISPATCHED,
    "Tasks with one run id share the temporary volume at each node. Users of the API cannot choose it.",
  ],
  statics: {
    nextRunId: {
      usage: "nextRunId()",
      meaning: "a run id that nobody else has or will have",
      call: (model) => nextRunId(model.shell.databases.task as Db),
    },
  },
  methods: {
    dispatch: {
      usage: "dispatch([organization, …], input)",
      meaning:
        "hands it to the nodes of these organizations, as the API would; input as an object, or as encoded text",
      call: dispatchTask,
    },
  },
  async prepare(write) {
    const { columns, before } = write;
    if (!before) {
      columns.description ??= "";
      columns.init_user_id ??= await firstUser(write);
    }
    if ("init_user_id" in columns) columns.init_username = await usernameOf(write);
  },
  async written({ unit, before, given }, row) {
    const { tx, emit } = unit.change("task");
    const id = row.id as number;
    const databases = databasesIn(given);
    if (databases) {
      await tx`delete from task_database where task_id = ${id}`;
      const rows = databases.map(({ label, ...parameters }, position) => ({
        task_id: id,
        position,
        label,
        parameters: JSON.stringify(parameters),
      }));
      if (rows.length > 0) await tx`insert into task_database ${tx(rows)}`;
    }
    if (before) return;
    emit("task.created", {
      task_id: id,
      run_id: row.job_id as number,
      parent_id: row.parent_id as number | null,
      collaboration_id: row.collaboration_id as number,
      init_org_id: row.init_org_id as number,
      init_user_id: row.init_user_id as number,
    });
  },
  async removal({ databases: { task: db } }, row) {
    const id = row.id as number;
    const [gone] = await db.begin((tx) =>
      tx<Row[]>`
        select (select count(*)::integer - 1 from (${family(tx, [id])}) as one) as descendants,
               (select count(*)::integer from result where task_id in (${family(tx, [id])}))
                 as results`
    );
    return {
      services: ["task"],
      goes: counted({ ...gone }),
      async run(unit) {
        await removeTasks(unit.change("task"), [id]);
      },
    };
  },
};

async function firstUser({ unit, columns }: Write): Promise<number | null> {
  const organization = columns.init_org_id as number | null | undefined;
  const [found] = await unit.tx("identity")<{ id: number }[]>`
    select id from "user"
    order by organization_id is distinct from ${organization ?? null}::integer, id limit 1`;
  return found?.id ?? null;
}

/** Nodes whose rules name users are told it. */
async function usernameOf({ unit, columns }: Write): Promise<string | null> {
  const id = columns.init_user_id as number | null;
  const [found] = await unit.tx("identity")<{ username: string }[]>`
    select username from "user" where id = ${id}`;
  return found?.username ?? null;
}

/** The databases as they were given; `undefined` when they were not. */
function databasesIn(given: ReadonlyMap<string, unknown>): { label: string }[] | undefined {
  if (!given.has("databases") && !given.has("database")) return undefined;
  const one = given.get("database");
  const list = given.get("databases") ?? (one === null || one === undefined ? [] : [one]);
  return (list as unknown[]).map((entry) => {
    const database = typeof entry === "string" ? { label: entry } : entry as { label?: unknown };
    if (typeof database?.label === "string" && database.label !== "") {
      return database as { label: string };
    }
    throw new ShellError("Task: each of databases must be a label, or an object with a label");
  });
}
