/**
 * Writes down which nodes are connected, and tells of it.
 *
 * Every replica of the service does so; the first to write a change tells of it, the others find
 * nothing to do.
 * @module
 */
import type { Logger } from "../../../shared/service/log.ts";
import type { Db } from "../../../shared/storage/db.ts";
import type { Outbox } from "../../../shared/storage/outbox.ts";
import { onlineNodeIds, setNodeStatus, touchOnlineNodes } from "../store/presence.ts";
import type { PresenceState } from "./state.ts";

export interface PresenceRecord {
  /** Writes what is certain of a node at the moment of writing; a failure is logged. */
  settle(node: number): void;
  /** Mends what is written where it differs from what is certain. */
  compare(): Promise<void>;
  /** Resolves when nothing is being written. */
  settled(): Promise<void>;
}

export interface PresenceRecordOptions {
  db: Db;
  outbox: Outbox;
  log: Logger;
  now: () => Date;
  /** The clock of `state`. */
  clock: () => number;
}

export function createPresenceRecord(
  state: PresenceState,
  { db, outbox, log, now, clock }: PresenceRecordOptions,
): PresenceRecord {
  const writing = new Map<number, Promise<void>>();

  async function write(node: number): Promise<void> {
    const verdict = state.verdict(node, clock());
    if (!verdict) return;
    const { status, since } = verdict;
    const at = new Date(now().getTime() - (clock() - since));
    await outbox.change(async ({ tx, emit }) => {
      const row = await setNodeStatus(tx, node, status, at);
      if (!row) return;
      const { organization_id, collaboration_id } = row;
      emit("node.presence", { node_id: node, organization_id, collaboration_id, status });
      log.info(`Node ${status}`, { node_id: node });
    });
    if (status === "offline") state.recordedOffline(node, since);
  }

  /** One after the other for each node, so that the last one stands. */
  function settle(node: number): void {
    const before = writing.get(node) ?? Promise.resolve();
    const after = before.then(() => write(node)).catch((error) =>
      log.warn("A node's presence cannot be recorded yet", { node_id: node, error })
    ).finally(() => {
      if (writing.get(node) === after) writing.delete(node);
    });
    writing.set(node, after);
  }

  return {
    settle,
    async compare() {
      if (!state.known) return;
      for (const node of state.differing(await onlineNodeIds(db), clock())) settle(node);
      await touchOnlineNodes(db, state.connectedNodes);
    },
    async settled() {
      await Promise.all(writing.values());
    },
  };
}
