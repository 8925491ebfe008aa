/**
 * Which nodes are connected, as the broker itself sees it: nobody writes heartbeats.
 *
 * The broker tells of every connect and disconnect on its system account, and drops a dead link
 * after two missed pings. From that each replica of the service keeps the connections in memory. At
 * the start, after each reconnection and now and then, the broker is asked for its own list, since
 * events may have been missed. What follows from all this is decided in `state.ts`.
 * @module
 */
import type { BrokerConnection } from "../../../shared/broker/connection.ts";
import type { NodeIssuers } from "../../../shared/node_protocol/credential.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Db } from "../../../shared/storage/db.ts";
import type { Outbox } from "../../../shared/storage/outbox.ts";
import { onlineNodeIds } from "../store/presence.ts";
import { hearConnections, listConnections } from "./broker_connections.ts";
import { createPresenceRecord } from "./record.ts";
import { PresenceState } from "./state.ts";

export interface PresenceOptions {
  db: Db;
  outbox: Outbox;
  log: Logger;
  /** A connection to the broker's system account. */
  system: Pick<BrokerConnection, "subscribe" | "requestMany" | "watch">;
  issuers: NodeIssuers;
  now: () => Date;
  /** Milliseconds of a clock that never goes back. */
  clock?: () => number;
  /** How long a node may be without a connection before it is shown offline. */
  graceMs?: number;
  /**
   * The same after the broker itself was away, when all nodes come back at once. As long as some
   * come, it goes on by half of it.
   */
  settleMs?: number;
  /** How often the table is compared with the connections in memory. */
  compareEveryMs?: number;
  /** How often the broker is asked for its list, in case an event was missed. */
  listEveryMs?: number;
  /** Connections on one page of the list. */
  pageSize?: number;
}

export interface Presence {
  stop(): Promise<void>;
}

/** After a list that failed. */
const LIST_AGAIN_MS = 500;
/** So long at most it is waited for nodes because others still come back. */
const SETTLE_WITHIN_MS = 120_000;

/** Shows nodes online and offline, and tells of it (`node.presence`), until it is stopped. */
export function watchPresence(options: PresenceOptions): Presence {
  const {
    log,
    system,
    clock = () => performance.now(),
    graceMs = 1_500,
    settleMs = 10_000,
    compareEveryMs = 5_000,
  } = options;
  const state = new PresenceState(graceMs);
  const record = createPresenceRecord(state, { ...options, clock });
  const leaving = settleWhenDue(state, clock, record.settle);
  const lists = keepListing(state, record.compare, { ...options, clock, graceMs });

  const unwatch = system.watch((connected) => {
    if (connected) return lists.start(settleMs);
    state.forget();
    lists.pause();
  });
  const unsubscribe = hearConnections(options, {
    came(connection, node) {
      state.came(connection, node);
      record.settle(node);
    },
    went(connection) {
      state.went(connection, clock());
      leaving.schedule();
    },
  });
  lists.start(settleMs);
  const comparing = setInterval(() => {
    record.compare().catch((error) => log.warn("Presence cannot be compared now", { error }));
  }, compareEveryMs);

  return {
    async stop() {
      unwatch();
      unsubscribe();
      clearInterval(comparing);
      lists.pause();
      leaving.stop();
      await record.settled();
    },
  };
}

/** Calls `settle` for each node whose time to come back has ended. */
function settleWhenDue(state: PresenceState, clock: () => number, settle: (node: number) => void) {
  let timer: ReturnType<typeof setTimeout> | undefined;

  function schedule(): void {
    const next = state.nextDue();
    if (timer !== undefined || next === undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      for (const node of state.due(clock())) settle(node);
      schedule();
    }, Math.max(1, next - clock()));
  }
  return { schedule, stop: () => clearTimeout(timer) };
}

type ListOptions =
  & Required<Pick<PresenceOptions, "clock" | "graceMs">>
  & Pick<
    PresenceOptions,
    "db" | "log" | "system" | "issuers" | "listEveryMs" | "pageSize"
  >;

/** Asks for the broker's list: again soon when it failed or lacked something, and now and then. */
function keepListing(state: PresenceState, compare: () => Promise<void>, options: ListOptions) {
  const { db, log, system, issuers, clock, graceMs, listEveryMs = 30_000, pageSize } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts starts and pauses: what was begun before the last of them is not gone on with. */
  let turn = 0;

  async function list(
    mine: number,
    patience: { patienceMs: number; afresh: boolean },
  ): Promise<void> {
    const begun = state.beginList();
    const connections = await listConnections({ system, issuers, pageSize });
    const recorded = await onlineNodeIds(db);
    if (mine !== turn) return;
    state.endList(begun, connections, { recorded, at: clock(), ...patience });
    await compare();
  }

  async function keepOn(mine: number, firstSettleMs: number): Promise<void> {
    let failing = false;
    let settling = true;
    let settleMs = firstSettleMs;
    const until = clock() + SETTLE_WITHIN_MS;
    while (mine === turn) {
      const patienceMs = settling ? settleMs : graceMs;
      const { connectedCount } = state;
      try {
        await list(mine, { patienceMs, afresh: settling });
        failing = false;
      } catch (error) {
        if (!failing && mine === turn) {
          log.warn("The broker does not list its connections now", { error });
        }
        failing = true;
      }
      if (mine !== turn) return;
      if (failing) await pauseFor(LIST_AGAIN_MS);
      else {
        // What this list lacked has its time to come back before the next.
        await pauseFor(state.doubtful ? patienceMs : listEveryMs);
        settling &&= state.connectedCount > connectedCount && clock() < until;
        settleMs = firstSettleMs / 2;
      }
    }
  }

  function pauseFor(ms: number): Promise<void> {
    return new Promise((resolve) => timer = setTimeout(resolve, ms));
  }

  function pause(): void {
    turn++;
    clearTimeout(timer);
  }
  return {
    pause,
    /** Begins with a list now. What it lacks has `patienceMs` to come back. */
    start(patienceMs: number): void {
      pause();
      keepOn(turn, patienceMs);
    },
  };
}
