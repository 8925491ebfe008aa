/**
 * Telling nodes to stop what is over.
 *
 * The end is committed first and told to the nodes second. A node that misses the message is told
 * again, and a node that was away learns it when it says hello; none can start what is over, since
 * `start` is refused.
 * @module
 */
import { subjects } from "../../../shared/broker/subjects.ts";
import type { Kill } from "../../../shared/node_protocol/kill.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Db } from "../../../shared/storage/db.ts";
import { recentStopOrders, type StopOrder } from "../store/stop_order.ts";

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
      const kill: Kill = { result_id, attempt: null, issued_at: now().toISOString() };
      try {
        publish(subjects.kill(node_id), encoder.encode(JSON.stringify(kill)));
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
