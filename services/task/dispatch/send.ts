/**
 * Dispatching: what a node is told to do.
 *
 * Nothing of this is kept for a node that does not hear it: what it has not accepted stands in the
 * table, and is handed out when the node asks (`work_for_node.ts`).
 * @module
 */
import { subjects } from "../../../shared/broker/subjects.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { JsonValue, Tx } from "../../../shared/storage/db.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { inputDigests } from "../store/dispatch.ts";
import type { ResultRow } from "../store/result.ts";
import { databasesOfTasks, type TaskDatabaseRow, type TaskRow } from "../store/task.ts";

/** The databases of a task with their parameters merged in, as containers and nodes read them. */
export function flatDatabases(
  rows: TaskDatabaseRow[],
): ({ label: string } & Record<string, JsonValue>)[] {
  return rows.map(({ label, parameters }) => ({ label, ...JSON.parse(parameters) }));
}

/** What the nodes of some results are told, of the results' current attempts; in their order. */
export async function dispatchesOf(
  tx: Tx,
  tasks: TaskRow[],
  results: ResultRow[],
  at: Date,
) {
  // Asked once for all: a task may be for a thousand nodes.
  const [databases, digests] = await Promise.all([
    databasesOfTasks(tx, tasks.map((task) => task.id)),
    inputDigests(tx, results.map((result) => result.id)),
  ]);
  return composed({ tasks, results, at, databases, digests });
}

/** What dispatches are made of. */
interface Parts {
  tasks: TaskRow[];
  results: ResultRow[];
  at: Date;
  databases: TaskDatabaseRow[];
  /** Of the input of each result. */
  digests: Map<number, string>;
}

function composed({ tasks, results, at, databases, digests }: Parts) {
  const perTask = new Map(tasks.map((task) => {
    const own = databases.filter((row) => row.task_id === task.id);
    return [task.id, { task, databases: flatDatabases(own) }];
  }));
  return results.map((result) => {
    const { task, databases } = perTask.get(result.task_id)!;
    return {
      v: 1,
      result_id: result.id,
      attempt: result.attempt,
      task_id: task.id,
      run_id: task.job_id,
      parent_id: task.parent_id,
      collaboration_id: task.collaboration_id,
      organization_id: result.organization_id,
      init_org_id: task.init_org_id,
      init_user_id: task.init_user_id,
      init_username: task.init_username,
      algorithm_store_url: task.algorithm_store_url,
      image: task.image,
      databases,
      input_sha256: digests.get(result.id)!,
      issued_at: at.toISOString(),
      ...(task.traceparent === null ? {} : { traceparent: task.traceparent }),
    } satisfies Dispatch;
  });
}

/**
 * Tells the nodes of some results of a task about their current attempts, once the transaction is
 * committed: those nodes that are connected then.
 */
export async function dispatch(
  { tx, send }: Pick<Change, "tx" | "send">,
  task: TaskRow,
  results: ResultRow[],
  at: Date,
): Promise<void> {
  // What is stored by hand is at no node: nobody is to run it.
  const atNodes = results.filter((result) => result.node_id !== null);
  sendTo(send, atNodes, await dispatchesOf(tx, [task], atNodes, at));
}

/** The same for a new task, of which all is known. */
export function dispatchNew(
  { send }: Pick<Change, "send">,
  task: TaskRow,
  results: (ResultRow & { input_sha256: string })[],
  databases: TaskDatabaseRow[],
): void {
  const digests = new Map(results.map((result) => [result.id, result.input_sha256]));
  const at = task.created_at;
  sendTo(send, results, composed({ tasks: [task], results, at, databases, digests }));
}

function sendTo(
  send: Change["send"],
  results: ResultRow[],
  dispatches: ReturnType<typeof composed>,
): void {
  for (const [n, { node_id }] of results.entries()) {
    send(subjects.dispatch(node_id!), dispatches[n]!);
  }
}
