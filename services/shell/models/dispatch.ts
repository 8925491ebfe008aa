/**
 * `task.dispatch(organizations, input)`: hands a task to nodes on the operator's word, as the API
 * would.
 * @module
 */
import type { Db } from "../../../shared/storage/db.ts";
import * as operator from "../../task/operator.ts";
import { looksEncrypted } from "../../task/rules.ts";
import { ShellError } from "../errors.ts";
import { counted } from "../show/words.ts";
import type { Tools } from "./description.ts";

/**
 * Makes or takes the result of each organization and has the task service dispatch it; returns the
 * results. `input` is an object, or text that is encoded already; without one, what the result
 * holds is taken.
 */
export async function dispatchTask(
  task: { id?: number },
  tools: Tools,
  organizations: unknown,
  input?: unknown,
): Promise<unknown> {
  const { databases, now, say, change, idsOf, recordsOf } = tools;
  const { id } = task;
  if (id === undefined) throw new ShellError("Task: it is not stored; await its save() first");
  const ids = await idsOf("Organization", organizations, "Task: organizations");
  if (ids.length === 0) throw new ShellError("Task: dispatch needs a list of organizations");
  const [stored] = await databases.task<{ collaboration_id: number }[]>`
    select collaboration_id from task where id = ${id}`;
  if (!stored) throw new ShellError(`Task ${id} does not exist any more`);
  const { encrypted, nodeOf } = await nodesOf(databases.collaboration, stored.collaboration_id);
  const shares = ids.map((organization_id) => ({
    organization_id,
    node_id: nodeOf.get(organization_id) ?? noNode(organization_id, stored.collaboration_id),
    input: encode(input, encrypted),
  }));
  const results = await change(
    "task",
    (one) => operator.dispatchTask(one, id, { shares, at: now() }),
  );
  say(`${counted({ results: results.length })[0]} dispatched; nodes hear of it within 3 s.`);
  return await recordsOf("Result", results.map((one) => one.id));
}

function noNode(organization: number, collaboration: number): never {
  throw new ShellError(
    `Task: organization ${organization} has no node in collaboration ${collaboration}`,
  );
}

async function nodesOf(db: Db, collaboration: number) {
  const [found] = await db<{ encrypted: boolean }[]>`
    select encrypted from collaboration where id = ${collaboration}`;
  if (!found) {
    throw new ShellError(`Task: its collaboration ${collaboration} does not exist any more`);
  }
  const nodes = await db<{ id: number; organization_id: number }[]>`
    select id, organization_id from node where collaboration_id = ${collaboration}`;
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
