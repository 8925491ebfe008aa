import { isFinal } from "../../../shared/node_protocol/status.ts";
import { taskStatus } from "../../task/rules.ts";
import { statusesOfTask, taskById } from "../../task/store/task.ts";
import type { Description, Row } from "../description.ts";
import { ShellError } from "../errors.ts";

export const result: Description = {
  name: "Result",
  service: "task",
  table: "result",
  meaning: "One organization's share of a task: its input, and what came of it.",
  fields: {
    id: {
      column: "id",
      type: "integer",
      readOnly: true,
      meaning: "number, given when it is saved",
    },
    status: { column: "status", type: "text", meaning: "pending, active, completed, failed, …" },
    input: {
      column: "input",
      type: "text",
      large: true,
      meaning: "as stored; in an encrypted collaboration encrypted for the organization",
    },
    result: { column: "result", type: "text", large: true, meaning: "as stored" },
    log: { column: "log", type: "text", large: true, meaning: "what the algorithm printed" },
    attempt: {
      column: "attempt",
      type: "integer",
      readOnly: true,
      meaning: "which attempt counts",
    },
    assignedAt: { column: "assigned_at", type: "date", meaning: "when it was asked" },
    startedAt: { column: "started_at", type: "date", meaning: "when a node began" },
    finishedAt: { column: "finished_at", type: "date", meaning: "when it ended" },
  },
  virtuals: {
    complete: {
      type: "boolean",
      meaning: "whether it is finished",
      get: (row) => isFinal(row.status as string),
    },
  },
  relations: {
    task: {
      kind: "one",
      model: "Task",
      column: "task_id",
      required: true,
      meaning: "what it is a share of",
    },
    organization: {
      kind: "one",
      model: "Organization",
      column: "organization_id",
      required: true,
      meaning: "whose share it is",
    },
    node: {
      kind: "one",
      model: "Node",
      column: "node_id",
      meaning: "where it was dispatched; none: nowhere",
    },
  },
  lookups: { getBy: ["task", "organization"] },
  notes: [
    "A result saved here is stored, but no node picks it up. To dispatch: await task.dispatch([...], input).",
  ],
  statics: {},
  methods: {},
  // deno-lint-ignore require-await -- one signature for all models
  async prepare({ columns, before }) {
    if (before) return;
    columns.node_id ??= null;
    // Without a time of dispatch nobody dispatches it again.
    columns.dispatched_at = null;
    columns.assigned_at ??= new Date();
    columns.status ??= "pending";
  },
  async written({ unit, before, columns }, row) {
    if (before && !("status" in columns)) return;
    const { tx, emit } = unit.change("task");
    const task = await taskById(tx, row.task_id as number);
    if (!task) throw new ShellError("Result: its task does not exist any more");
    emit("result.status", {
      result_id: row.id as number,
      task_id: task.id,
      run_id: task.job_id,
      parent_id: task.parent_id,
      collaboration_id: task.collaboration_id,
      organization_id: row.organization_id as number,
      init_org_id: task.init_org_id,
      init_user_id: task.init_user_id,
      status: row.status as string,
      task_status: taskStatus(await statusesOfTask(tx, task.id)),
      attempt: row.attempt as number,
    });
  },
  // deno-lint-ignore require-await -- one signature for all models
  async removal(_shell, row: Row) {
    const id = row.id as number;
    return {
      services: ["task"],
      goes: [],
      async run(unit) {
        const { tx } = unit.change("task");
        await tx`
          insert into stop_order (result_id, node_id)
          select id, node_id from result
          where id = ${id} and finished_at is null and node_id is not null
          on conflict (result_id) do nothing`;
        await tx`delete from result where id = ${id}`;
      },
    };
  },
};
