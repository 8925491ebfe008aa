/**
 * Ending results that are not over: because somebody kills them, their time is up, or what they belong to is gone.
 *
 * The end is committed first and told to the nodes second. A node that misses the message is told again, and a node
 * that was away learns it when it says hello; none can start what is over, since `start` is refused.
 * @module
 */
import type { Logger } from "../../shared/service/log.ts";
import type { Db } from "../../shared/storage/db.ts";
import type { Change } from "../../shared/storage/outbox.ts";
import { subjects } from "../../shared/broker/subjects.ts";
import { tellMoved } from "./results.ts";
import { deleteTasks, lockOpenResults, type ResultRow, type TaskRow } from "./store.ts";
import {
  abandonSiblings,
  type End,
  endResults,
  insertStopOrders,
  recentStopOrders,
  type StopOrder,
} from "./store/stop.ts";

export interface Stopped {
  /** How many results were ended; some may be at no node, since an operator stored them. */
  ended: number;
  /** Whom to tell, once it is committed. */
  orders: StopOrder[];
}

/** Ends the unfinished results of `tasks`, which the caller has locked, or only those at one node. */
export async function stopResults(
  change: Change,
  tasks: TaskRow[],
  end: End,
  nodeId?: number,
): Promise<Stopped> {
  const { tx } = change;
  const open = await lockOpenResults(tx, {
    taskIds: tasks.map((task) => task.id),
    ...(nodeId === undefined ? {} : { nodeId }),
  });
  const ended = await endResults(tx, open.map((row) => row.id), end);
  const moved = Map.groupBy(ended, (row) => row.task_id);
  for (const task of tasks) {
    const rows: ResultRow[] = moved.get(task.id) ?? [];
    if (rows.length === 0) continue;
    if (nodeId !== undefined) {
      rows.push(
        ...await abandonSiblings(tx, task.id, {
          at: end.at,
          reason: `Not run: another share of the task ended as "${end.status}".`,
        }),
      );
    }
    await tellMoved(change, task, rows);
  }
  // What an operator stored by hand is at no node.
  const dispatched = open.filter((row) => row.node_id !== null);
  const running = dispatched.filter((row) => row.status !== "pending");
  await insertStopOrders(tx, running.map(orderOf));
  return { ended: ended.length, orders: dispatched.map(orderOf) };
}

function orderOf({ id, node_id }: ResultRow): StopOrder {
  return { result_id: id, node_id: node_id! };
}

/** Deletes tasks, which the caller has locked with all their descendants; kills first what is unfinished. */
export async function removeTasks(
  change: Change,
  tasks: TaskRow[],
  { at, reason }: { at: Date; reason: string },
): Promise<StopOrder[]> {
  const { orders } = await stopResults(change, tasks, { status: "killed by user", at, reason });
  await deleteTasks(change.tx, tasks.map((task) => task.id));
  for (const { id, collaboration_id, init_org_id, init_user_id } of tasks) {
    change.emit("task.deleted", { task_id: id, collaboration_id, init_org_id, init_user_id });
  }
  return orders;
}

export interface Kills {
  /** Tells the nodes, now. */
  tell(orders: StopOrder[]): void;
  /** Tells nodes again what they have not confirmed; returns how many orders. */
  repeat(): Promise<number>;
}

export interface KillsOptions {
  db: Db;
  /** Signs and sends a message that only those who are connected hear. */
  publish: (subject: string, payload: Uint8Array) => void;
  log: Logger;
  now: () => Date;
}

/** For how long an order is repeated; after that only a hello of the node closes it. */
const REPEAT_MS = 10 * 60_000;
const encoder = new TextEncoder();

export function createKills({ db, publish, log, now }: KillsOptions): Kills {
  function tell(orders: StopOrder[]): void {
    for (const { result_id, node_id } of orders) {
      try {
        publish(
          subjects.kill(node_id),
          encoder.encode(JSON.stringify({ result_id, attempt: null })),
        );
      } catch (error) {
        log.warn("A node cannot be told to stop now; will try again", { result_id, error });
      }
    }
  }

  return {
    tell,
    async repeat() {
      const orders = await recentStopOrders(db, new Date(now().getTime() - REPEAT_MS));
      tell(orders);
      return orders.length;
    },
  };
}
