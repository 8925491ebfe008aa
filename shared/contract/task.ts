/**
 * Tasks (contract §3.7): what clients send, and the Task they are shown.
 * @module
 */
import { z } from "zod";
import { FINAL_STATUSES, OPEN_STATUSES } from "../node_protocol/status.ts";
import {
  id,
  integer,
  name,
  nullAsAbsent,
  queryDate,
  queryId,
  queryInclude,
  text,
} from "./fields.ts";
import { pageQuery } from "./paging.ts";
import { link, reference } from "./references.ts";
import { result } from "./result.ts";
import { run } from "./run.ts";

const database = z.strictObject({
  label: text.pipe(z.string().min(1)),
  query: nullAsAbsent(text),
  sheet_name: nullAsAbsent(text),
  preprocessing: nullAsAbsent(z.array(z.looseObject({ function: text }))),
  arguments: nullAsAbsent(z.record(z.string(), z.unknown())),
});

/** Who is to compute, and with which input. */
export const recipients = z.array(z.object({ id, input: text })).min(1, "must name at least one")
  .refine(
    (list) => new Set(list.map((one) => one.id)).size === list.length,
    "must name each organization once",
  );

/** A year; beyond it a limit is a mistake. */
const MAX_TIMEOUT_SECONDS = 366 * 86_400;

export const newTask = z.object({
  image: text.pipe(z.string().min(1)),
  organizations: recipients,
  collaboration_id: nullAsAbsent(id),
  study_id: nullAsAbsent(id),
  name: nullAsAbsent(z.union([z.literal(""), name])),
  description: nullAsAbsent(text.pipe(z.string().max(1024))),
  databases: nullAsAbsent(z.array(database)),
  store_id: nullAsAbsent(id),
  /** This server as the algorithm store knows it. */
  server_url: nullAsAbsent(text.pipe(z.url({ protocol: /^https?$/ }).max(1024))),
  /** Beyond v6's API: what is unfinished after so many seconds fails. */
  timeout_seconds: nullAsAbsent(integer.pipe(z.number().min(1).max(MAX_TIMEOUT_SECONDS))),
  /** Beyond v6's API: whether a part that fails ends no other one, though nobody has begun it. */
  keep_going: nullAsAbsent(z.boolean()),
  /**
   * Beyond v6's API, from our nodes: the attempt at the parent in whose name a subtask is made. One
   * that was given up makes none.
   */
  parent_attempt: nullAsAbsent(integer.pipe(z.number().min(1))),
}).refine(
  (task) => task.collaboration_id !== undefined || task.study_id !== undefined,
  "collaboration_id or study_id must be given",
);
export type NewTask = z.infer<typeof newTask>;

export const taskQuery = z.object({ include: queryInclude.optional() });

export const taskList = pageQuery.extend({
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
  /** Beyond v6's API: stands in the name, the description or the image, in any case. */
  search: text.optional(),
  /** Beyond v6's API. */
  created_from: queryDate.optional(),
  created_till: queryDate.optional(),
  is_user_created: z.string().regex(/^\d+$/, "must be an integer").transform(Number).optional(),
});
export type TaskList = z.infer<typeof taskList>;

const MAX_WAIT_SECONDS = 60;

export const taskStatusQuery = z.object({
  /** Beyond v6's API: hold the answer until the status changes, at most so many seconds. */
  wait: z.string().regex(/^\d{1,4}(\.\d+)?$/, "must be seconds").transform(Number)
    .pipe(z.number().max(MAX_WAIT_SECONDS, `must be at most ${MAX_WAIT_SECONDS}`)).optional(),
});

const status = z.enum([...OPEN_STATUSES, ...FINAL_STATUSES]);

export const taskStatusAnswer = z.object({ status });

/** A task as it is shown with one of its runs. */
export const taskOfRun = z.object({
  id: z.number().int(),
  name: z.string(),
  description: z.string(),
  image: z.string(),
  /** Shared by a task and all its descendants. */
  job_id: z.number().int(),
  /** The same, as the first versions of v6 called it. */
  run_id: z.number().int(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
  status,
  complete: z.boolean(),
  /**
   * Beyond v6's API: `waiting for release at <organization>` and others, while results of it wait
   * for people there to release them; else null.
   */
  waiting: z.string().nullable(),
  timeout_seconds: z.number().int().nullable(),
  collaboration: reference,
  study: reference.nullable(),
  algorithm_store: reference.nullable(),
  parent: reference.nullable(),
  init_org: reference,
  init_user: reference,
  databases: z.array(z.object({
    label: z.string(),
    /** An object, as JSON. */
    parameters: z.string(),
  })),
  /** The address of the list; with `include=results` the results themselves. */
  results: z.union([link, z.array(result)]),
  children: link,
}).meta({ id: "TaskOfRun" });

/** How far an organization is with a task: a run at a glance, for lists of many tasks. */
export const share = z.object({
  /** Of the run, and of its result. */
  id: z.number().int(),
  organization_id: z.number().int(),
  status,
  attempt: z.number().int(),
  held_since: z.string().nullable(),
}).meta({ id: "Share" });
export type Share = z.infer<typeof share>;

export const task = taskOfRun.extend({
  /** The address of the list; with `include=runs` the runs themselves. */
  runs: z.union([link, z.array(run)]),
  /** Beyond v6's API: only with `include=shares`, by organization. */
  shares: z.array(share).optional(),
}).meta({ id: "Task" });
export type Task = z.infer<typeof task>;

/** A run as it is shown where `include=task` may be asked for. */
export const runWithTask = run.extend({
  /** Its address; with `include=task` the task itself. */
  task: z.union([reference, taskOfRun]),
}).meta({ id: "RunWithTask" });
export type RunWithTask = z.infer<typeof runWithTask>;
