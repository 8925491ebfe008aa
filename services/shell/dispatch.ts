/**
 * `task.dispatch(organizations, input)`: hands a task to nodes on the operator's word, as the API would.
 * @module
 */
import { dispatch } from "../task/dispatch/send.ts";
import { looksEncrypted } from "../task/rules.ts";
import { resultColumns, type ResultRow } from "../task/store/result.ts";
import { taskById } from "../task/store/task.ts";
import { ShellError } from "./errors.ts";
import { type AnyRecord, idsOf, stateOf } from "./record.ts";
import type { Shell } from "./shell.ts";
import { inUnit } from "./unit.ts";
import { counted } from "./words.ts";

/**
 * Makes or takes the result of each organization and has the task service dispatch it; returns the results.
 * `input` is an object, or text that is encoded already; without one, what the result holds is taken.
 */
export async function dispatchTask(task: AnyRecord, organizations: unknown, input?: unknown) {
  const { model, row } = stateOf(task);
  const { shell } = model;
  if (!row) throw new ShellError("Task: it is not stored; await its save() first");
  const relation = model.description.relations.initiator!;
  const reader = { tx: (service: keyof Shell["databases"]) => shell.databases[service] };
  const ids = await idsOf(reader, model, "organizations", relation, organizations);
  if (ids.length === 0) throw new ShellError("Task: dispatch needs a list of organizations");
  const { encrypted, nodeOf } = await placeOf(shell, row.collaboration_id as number);
  const encoded = encode(input, encrypted);
  const results = await inUnit(shell, ["task"], async (unit) => {
    const change = unit.change("task");
    const { tx } = change;
    const stored = await taskById(tx, row.id as number);
    if (!stored) throw new ShellError(`Task ${row.id} does not exist any more`);
    const dispatched: number[] = [];
    for (const organization of ids) {
      const at = shell.now();
      const values = {
        node_id: nodeOf.get(organization) ?? noNode(organization, stored.collaboration_id),
        assigned_at: at,
        dispatched_at: at,
        status: "pending",
        ...(encoded === undefined ? {} : { input: encoded }),
      };
      const [result] = await tx<ResultRow[]>`
        insert into result
          ${tx({ ...values, task_id: stored.id, organization_id: organization })}
        on conflict (task_id, organization_id) do update set ${tx(values)}
        where result.dispatched_at is null and result.finished_at is null
        returning ${resultColumns(tx)}`;
      if (!result) throw new ShellError(`Task: organization ${organization} was asked already`);
      await dispatch(change, stored, [result], at);
      dispatched.push(result.id);
    }
    return dispatched;
  });
  shell.say(`${counted({ results: results.length })[0]} dispatched; nodes hear of it within 3 s.`);
  return await shell.models.Result.getMany(results);
}

function noNode(organization: number, collaboration: number): never {
  throw new ShellError(
    `Task: organization ${organization} has no node in collaboration ${collaboration}`,
  );
}

async function placeOf({ databases: { collaboration: db } }: Shell, id: number) {
  const [found] = await db<{ encrypted: boolean }[]>`
    select encrypted from collaboration where id = ${id}`;
  if (!found) throw new ShellError(`Task: its collaboration ${id} does not exist any more`);
  const nodes = await db<{ id: number; organization_id: number }[]>`
    select id, organization_id from node where collaboration_id = ${id}`;
  return {
    encrypted: found.encrypted,
    nodeOf: new Map(nodes.map((node) => [node.organization_id, node.id])),
  };
}

/** The input as clients of the API encode it (contract §7.1): base64 of JSON. */
function encode(input: unknown, encrypted: boolean): string | undefined {
  if (input === undefined || input === null) return undefined;
  if (encrypted && !(typeof input === "string" && looksEncrypted(input))) {
    throw new ShellError(
      "Task: the collaboration is encrypted, so input must be text that was encrypted for the organization",
    );
  }
  if (typeof input === "string") return input;
  return new TextEncoder().encode(JSON.stringify(input)).toBase64();
}
