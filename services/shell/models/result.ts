import { isFinal } from "../../../shared/node_protocol/status.ts";
import * as operator from "../../task/operator.ts";
import { boolean, date, describeModel, id, integer, one, text } from "./description.ts";

export const result = describeModel({
  name: "Result",
  service: "task",
  meaning: "One organization's share of a task: its input, and what came of it.",
  fields: {
    id,
    status: text("pending, active, completed, failed, …"),
    input: text("as stored; in an encrypted collaboration encrypted for the organization", {
      large: true,
    }),
    result: text("as stored", { large: true }),
    log: text("what the algorithm printed", { large: true }),
    attempt: integer("which attempt counts", { readOnly: true, minor: true }),
    code: text("which code ran, sha256:…; null: not known", {
      readOnly: true,
      minor: true,
    }),
    assignedAt: date("when it was asked", { minor: true }),
    startedAt: date("when a node began", { minor: true }),
    finishedAt: date("when it ended", { minor: true }),
    complete: boolean("whether it is finished", {
      virtual: true,
      readOnly: true,
      get: (row) => isFinal(row.status as string),
    }),
  },
  relations: {
    task: one("Task", "what it is a share of", { required: true }),
    organization: one("Organization", "whose share it is", { required: true }),
    node: one("Node", "where it was dispatched; none: nowhere"),
  },
  lookups: { getBy: ["task", "organization"] },
  notes: [
    "A result saved here is stored, but no node picks it up. To dispatch: await task.dispatch([...], input).",
  ],
  create: (change, { status, assigned_at, ...values }, { now }) =>
    operator.createResult(change, {
      node_id: null,
      ...values,
      status: status ?? "pending",
      assigned_at: assigned_at ?? now(),
    }),
  update: operator.updateResult,
  async remove(change, id, { now }) {
    await operator.removeResult(change, id, now());
  },
});
