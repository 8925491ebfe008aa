import { isFinal } from "../../../shared/node_protocol/status.ts";
import type { Db, Tx } from "../../../shared/storage/db.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import * as operator from "../../task/operator.ts";
import { taskStatus } from "../../task/rules.ts";
import { ShellError } from "../errors.ts";
import { counted } from "../show/words.ts";
import {
  back,
  boolean,
  createdAt,
  describeModel,
  id,
  integer,
  list,
  one,
  type Row,
  text,
  type Values,
} from "./description.ts";
import { dispatchTask } from "./dispatch.ts";

const NOT_DISPATCHED =
  "A task saved here is stored, but no node picks it up: only tasks posted to the API are dispatched. " +
  "To dispatch it on purpose: await task.dispatch([organization, ...], input).";

const statusesOf = (row: Row) => row.statuses as string[];

export const task = describeModel({
  name: "Task",
  service: "task",
  meaning: "A question to some organizations of a collaboration; each has a result of its own.",
  fields: {
    id,
    name: text("its name", { required: true }),
    description: text("what it is for"),
    image: text("the algorithm", { required: true }),
    runId: integer("shared with its descendants; from Task.nextRunId() or the parent", {
      required: true,
      column: "job_id",
      minor: true,
    }),
    createdAt,
    status: text("out of its results", {
      virtual: true,
      readOnly: true,
      // To the API a task without results is completed; here it would be taken for one that ran.
      get: (row) => statusesOf(row).length > 0 ? taskStatus(statusesOf(row)) : "no results",
    }),
    complete: boolean("whether it has results, and all of them are finished", {
      virtual: true,
      readOnly: true,
      get: (row) => statusesOf(row).length > 0 && statusesOf(row).every(isFinal),
    }),
    database: text("label of the database it reads", {
      minor: true,
      virtual: true,
      get: (row) => (row.databases as { label: string }[])[0]?.label ?? null,
    }),
    databases: list("all it reads: labels, or {label, query, …}", {
      virtual: true,
      hidden: true,
      get: (row) => row.databases,
    }),
  },
  extraColumns: (tx) =>
    tx`(select coalesce(array_agg(result.status), '{}') from result where task_id = task.id)
         as statuses,
       (select coalesce(json_agg(
          json_build_object('label', label)::jsonb || parameters::jsonb order by position), '[]')
        from task_database where task_id = task.id) as databases`,
  relations: {
    collaboration: one("Collaboration", "where it is asked", { required: true }),
    study: one("Study", "the part of it, if any"),
    parent: one("Task", "the task that made it"),
    initiator: one("Organization", "who asks", { required: true, column: "init_org_id" }),
    user: one("User", "on whose behalf", {
      column: "init_user_id",
      otherwise: "the initiator's first user, else the hub's",
    }),
    children: back("Task", "the tasks it made", "parent_id"),
    results: back("Result", "one per organization"),
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
      call: (_model, { databases }) => operator.nextRunId(databases.task),
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
  create: (change, values, { databases }) => storeTask(change, values, databases.identity),
  async update(change, id, values, { databases }) {
    const { database: _, databases: __, ...columns } = values;
    const onBehalf = "init_user_id" in columns
      ? await onBehalfOf(databases.identity, columns.init_user_id)
      : {};
    return await operator.updateTask(change, id, { ...columns, ...onBehalf }, databasesIn(values));
  },
  async remove(change, id, { now }) {
    await operator.removeTask(change, id, now());
  },
  dependents: async ({ task }, id) => ({ atOnce: await countFamily(task, id) }),
});

/** Stores a task, for the initiator's first user, or else the hub's, unless one is given. */
export async function storeTask(change: Change, values: Values, identity: Tx) {
  const { database: _, databases: __, ...columns } = values;
  const user = columns.init_user_id ?? await firstUser(identity, columns.init_org_id);
  return await operator.createTask(change, {
    ...columns,
    description: columns.description ?? "",
    ...await onBehalfOf(identity, user),
  }, databasesIn(values));
}

async function firstUser(tx: Tx, organization: number): Promise<number | null> {
  const [found] = await tx<{ id: number }[]>`
    select id from "user" order by organization_id is distinct from ${organization}, id limit 1`;
  return found?.id ?? null;
}

/** The user of a task, with the name that nodes are told whose rules name users. */
async function onBehalfOf(tx: Tx, id: number | null) {
  const [found] = await tx<{ username: string }[]>`select username from "user" where id = ${id}`;
  return { init_user_id: id as number, init_username: found?.username ?? null };
}

/** The databases as they were given, as the service stores them; `undefined` when they were not. */
function databasesIn(values: Values): { label: string; parameters: string }[] | undefined {
  if (!("databases" in values) && !("database" in values)) return undefined;
  const { database, databases } = values;
  const given: unknown[] = databases ?? (database === null ? [] : [database]);
  return given.map((entry) => {
    const { label, ...parameters } = typeof entry === "string"
      ? { label: entry }
      : { ...entry as { label?: unknown } };
    if (typeof label === "string" && label !== "") {
      return { label, parameters: JSON.stringify(parameters) };
    }
    throw new ShellError("Task: each of databases must be a label, or an object with a label");
  });
}

/** What goes with a task: its descendants, and the results of all of them. */
async function countFamily(db: Db, id: number): Promise<string[]> {
  const [gone] = await db<Row[]>`
    with recursive family as (
      select id from task where id = ${id}
      union
      select task.id from task join family on task.parent_id = family.id
    )
    select (select count(*)::integer - 1 from family) as descendants,
      (select count(*)::integer from result where task_id in (select id from family)) as results`;
  return counted({ ...gone });
}
