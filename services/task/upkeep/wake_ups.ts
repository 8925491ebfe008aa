/**
 * Waking nodes that have not accepted what was dispatched to them: nobody keeps a dispatch that was
 * lost on its way, because this process or the broker ended just then, but the table has the work.
 *
 * A node that is woken asks for all that it has not accepted. One that is away does not hear it,
 * and asks by itself when it is back; so a node is woken ever more seldom, down to once a minute.
 * @module
 */
import { subjects } from "../../../shared/broker/subjects.ts";
import type { WakeUp } from "../../../shared/node_protocol/dispatch.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Db } from "../../../shared/storage/db.ts";
import { nodesWithUnaccepted, nodesWithUnacceptedOf } from "../store/dispatch.ts";

export interface WakeUps {
  /** Wakes those nodes whose turn it is; returns how many. */
  repeat(): Promise<number>;
  /** Wakes now whoever has not accepted its share of a task. */
  wakeFor(taskId: number): Promise<void>;
}

export interface WakeUpsOptions {
  db: Db;
  /** Signs and sends a message that only those who are connected hear. */
  publish: (subject: string, payload: Uint8Array) => void;
  log: Logger;
  now: () => Date;
  /** How long a node may take to accept what was dispatched before it is woken. */
  settleMs?: number;
}

const LONGEST_PAUSE_MS = 60_000;
const payload = new TextEncoder().encode(JSON.stringify({ wake_up: true } satisfies WakeUp));

export function createWakeUps(
  { db, publish, log, now, settleMs = 5_000 }: WakeUpsOptions,
): WakeUps {
  /** Nodes that were woken and have not accepted everything yet: when to wake them next. */
  let woken = new Map<number, { pauseMs: number; dueAt: number }>();

  function wake(nodeIds: Iterable<number>): void {
    for (const id of nodeIds) {
      try {
        publish(subjects.dispatch(id), payload);
      } catch (error) {
        log.warn("A node cannot be told of its work now; will try again", { node_id: id, error });
      }
    }
  }

  return {
    wakeFor: async (taskId) => wake(await nodesWithUnacceptedOf(db, taskId)),
    async repeat() {
      const at = now().getTime();
      const late = await nodesWithUnaccepted(db, new Date(at - settleMs));
      const due: number[] = [];
      const next: typeof woken = new Map();
      for (const id of late) {
        const before = woken.get(id);
        if (before && before.dueAt > at) {
          next.set(id, before);
          continue;
        }
        const pauseMs = Math.min(LONGEST_PAUSE_MS, before ? 2 * before.pauseMs : settleMs);
        next.set(id, { pauseMs, dueAt: at + pauseMs });
        due.push(id);
      }
      woken = next;
      wake(due);
      if (due.length > 0) {
        log.debug("Woke nodes that have not accepted work", { nodes: due.length });
      }
      return due.length;
    },
  };
}
