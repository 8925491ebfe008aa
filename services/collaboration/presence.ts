/**
 * Which nodes are connected, as the broker itself sees it: nobody writes heartbeats.
 *
 * The broker tells of every connect and disconnect on its system account, and drops a dead link after two missed
 * pings. From that each replica keeps the list of connections in memory. At the start, after each reconnection and
 * now and then, the broker is asked for its own list, since events may have been missed.
 *
 * A node is recognised by its credential: the name that identity signed into it, and who signed. What a client
 * calls itself proves nothing. A node that loses its connection has a moment to come back before it is shown
 * offline, so a reconnection or an exchanged credential is no alarm.
 *
 * Every replica does all of this; the first to write a change tells of it, the others find nothing to do.
 * @module
 */
import { z } from "zod";
import type { Db } from "../../shared/storage/db.ts";
import type { Logger } from "../../shared/service/log.ts";
import type { NodeIssuers } from "../../shared/node_protocol/credential.ts";
import type { Outbox } from "../../shared/storage/outbox.ts";
import { onlineNodeIds, setNodeStatus, touchOnlineNodes } from "./store/presence.ts";
import { type BrokerConnection, RequestStrategy } from "../../shared/broker/connection.ts";

const credential = { name_tag: z.string().optional(), issuer_key: z.string().optional() };
const connectionEvent = z.object({
  server: z.object({ id: z.string() }),
  client: z.object({ id: z.number(), ...credential }),
});
const connectionList = z.object({
  server: z.object({ id: z.string() }),
  data: z.object({
    connections: z.array(z.object({ cid: z.number(), ...credential })).nullish()
      .transform((list) => list ?? []),
    total: z.number(),
  }),
});

export interface PresenceOptions {
  db: Db;
  outbox: Outbox;
  log: Logger;
  /** A connection to the broker's system account. */
  system: BrokerConnection;
  issuers: NodeIssuers;
  now: () => Date;
  /** How long a node may be without a connection before it is shown offline. */
  graceMs?: number;
  /** The same after the broker itself was away, when all nodes come back at once. */
  settleMs?: number;
  /** How often the table is compared with the connections in memory. */
  compareEveryMs?: number;
  /** How often the broker is asked for its list, in case an event was missed. */
  listEveryMs?: number;
}

export interface Presence {
  stop(): Promise<void>;
}

/** Each of the broker's servers answers for itself; this long after the last answer, none is missing. */
const ANSWERS_WITHIN_MS = 300;
const LIST_TIMEOUT_MS = 3_000;
/** Connections in one answer: with its credential each takes some 1.5 KB, and a message holds 1 MiB. */
const LIST_PAGE = 400;

export function watchPresence({
  db,
  outbox,
  log,
  system,
  issuers,
  now,
  graceMs = 1_500,
  settleMs = 5_000,
  compareEveryMs = 5_000,
  listEveryMs = 30_000,
}: PresenceOptions): Presence {
  const { appAccountPublic, nodeSignerPublic } = issuers;
  /** Server and number of a connection → the node behind it. */
  const connections = new Map<string, number>();
  /** Node → how many connections it has. */
  const links = new Map<number, number>();
  /** Changes heard while the broker's list is under way: it may be older than they are. */
  let heardMeanwhile: Map<string, number | undefined> | undefined;
  /** Nodes without a connection that may still come back. */
  const leaving = new Map<number, { timer: ReturnType<typeof setTimeout>; since: Date }>();
  /** When nodes that are not shown offline yet lost their last connection. */
  const lostAt = new Map<number, Date>();
  const writing = new Map<number, Promise<void>>();
  /** False while the connections in memory may not be what the broker has. */
  let known = false;
  let stopped = false;

  function nodeOf(
    { name_tag = "", issuer_key }: {
      name_tag?: string | undefined;
      issuer_key?: string | undefined;
    },
  ): number | undefined {
    return issuer_key === nodeSignerPublic && /^\d{1,9}$/.test(name_tag)
      ? Number(name_tag)
      : undefined;
  }

  function connect(key: string, node: number): void {
    if (connections.has(key)) return;
    connections.set(key, node);
    links.set(node, (links.get(node) ?? 0) + 1);
  }

  function disconnect(key: string): void {
    const node = connections.get(key);
    if (node === undefined) return;
    connections.delete(key);
    const left = links.get(node)! - 1;
    if (left > 0) links.set(node, left);
    else links.delete(node);
  }

  // -- what the broker tells --------------------------------------------------------------------------------

  function came(key: string, node: number): void {
    connect(key, node);
    heardMeanwhile?.set(key, node);
    stay(node);
    settle(node);
  }

  function went(key: string, node: number): void {
    disconnect(key);
    heardMeanwhile?.set(key, undefined);
    if (!links.has(node)) leave(node, graceMs);
  }

  function listen(kind: "CONNECT" | "DISCONNECT") {
    return system.subscribe(`$SYS.ACCOUNT.${appAccountPublic}.${kind}`, {
      callback(error, message) {
        if (error) return log.warn("The broker's connections cannot be heard", { error });
        const event = connectionEvent.safeParse(parse(message.data));
        if (!event.success) return log.warn("The broker tells something else", { kind });
        const { server, client } = event.data;
        const node = nodeOf(client);
        if (node === undefined) return;
        const key = `${server.id} ${client.id}`;
        if (kind === "CONNECT") came(key, node);
        else went(key, node);
      },
    });
  }

  async function list(): Promise<Map<string, number>> {
    const listed = new Map<string, number>();
    for (let offset = 0, more = true; more; offset += LIST_PAGE) {
      more = false;
      let answered = 0;
      const question = { auth: true, acc: appAccountPublic, limit: LIST_PAGE, offset };
      const answers = await system.requestMany(
        "$SYS.REQ.SERVER.PING.CONNZ",
        JSON.stringify(question),
        {
          strategy: RequestStrategy.JitterTimer,
          jitter: ANSWERS_WITHIN_MS,
          maxWait: LIST_TIMEOUT_MS,
        },
      );
      for await (const answer of answers) {
        const { server, data } = connectionList.parse(parse(answer.data));
        answered++;
        for (const one of data.connections) {
          const node = nodeOf(one);
          if (node !== undefined) listed.set(`${server.id} ${one.cid}`, node);
        }
        if (offset + LIST_PAGE < data.total) more = true;
      }
      if (answered === 0) throw new Error("No server of the broker has listed its connections");
    }
    return listed;
  }

  /** Takes over the broker's list. Nodes that are not in it have `patienceMs` to come back. */
  async function relist(patienceMs: number): Promise<void> {
    const meanwhile = heardMeanwhile = new Map<string, number | undefined>();
    const listed = await list();
    if (stopped || heardMeanwhile !== meanwhile) return; // a later list counts
    heardMeanwhile = undefined;
    for (const [key, node] of meanwhile) {
      if (node === undefined) listed.delete(key);
      else listed.set(key, node);
    }
    for (const key of [...connections.keys()]) if (!listed.has(key)) disconnect(key);
    for (const [key, node] of listed) connect(key, node);
    known = true;
    await compare(patienceMs);
  }

  // -- the table --------------------------------------------------------------------------------------------

  function leave(node: number, patienceMs: number): void {
    if (leaving.has(node)) return;
    const timer = setTimeout(() => {
      leaving.delete(node);
      settle(node);
    }, patienceMs);
    leaving.set(node, { timer, since: now() });
    lostAt.set(node, now());
  }

  function stay(node: number): void {
    clearTimeout(leaving.get(node)?.timer);
    leaving.delete(node);
    lostAt.delete(node);
  }

  /** Writes what is true of a node at the moment of writing; one after the other, so that the last one stands. */
  function settle(node: number): void {
    const before = writing.get(node) ?? Promise.resolve();
    const after = before.then(() => write(node)).catch((error) =>
      log.warn("A node's presence cannot be recorded yet", { node_id: node, error })
    ).finally(() => {
      if (writing.get(node) === after) writing.delete(node);
    });
    writing.set(node, after);
  }

  async function write(node: number): Promise<void> {
    const connected = links.has(node);
    if (!connected && (leaving.has(node) || !known)) return;
    const status = connected ? "online" : "offline";
    const at = connected ? now() : lostAt.get(node) ?? now();
    await outbox.change(async ({ tx, emit }) => {
      const row = await setNodeStatus(tx, node, status, at);
      if (!row) return;
      const { organization_id, collaboration_id } = row;
      emit("node.presence", { node_id: node, organization_id, collaboration_id, status });
      log.info(`Node ${status}`, { node_id: node });
    });
    lostAt.delete(node);
  }

  /** Mends the table where it differs from the connections. */
  async function compare(patienceMs: number): Promise<void> {
    if (!known) return;
    const online = new Set(await onlineNodeIds(db));
    for (const node of links.keys()) if (!online.has(node)) settle(node);
    for (const node of online) if (!links.has(node)) leave(node, patienceMs);
    await touchOnlineNodes(db, [...links.keys()]);
  }

  // -- over time --------------------------------------------------------------------------------------------

  let retry: ReturnType<typeof setTimeout> | undefined;

  function relistUntilKnown(patienceMs: number): void {
    clearTimeout(retry);
    relist(patienceMs).catch((error) => {
      if (stopped) return;
      log.warn("The broker does not list its connections now", { error });
      if (!known) retry = setTimeout(() => relistUntilKnown(patienceMs), 500);
    });
  }

  const unwatch = system.watch((connected) => {
    if (connected) return relistUntilKnown(settleMs);
    // Who comes and goes now is not heard: nobody is called offline until the next list.
    known = false;
    heardMeanwhile = undefined;
    connections.clear();
    links.clear();
    for (const node of [...leaving.keys()]) stay(node);
  });
  const subscriptions = [listen("CONNECT"), listen("DISCONNECT")];
  relistUntilKnown(settleMs);
  const comparing = setInterval(() => {
    compare(graceMs).catch((error) => log.warn("Presence cannot be compared now", { error }));
  }, compareEveryMs);
  const listing = setInterval(() => {
    if (known) relistUntilKnown(graceMs);
  }, listEveryMs);

  return {
    async stop() {
      stopped = true;
      unwatch();
      clearInterval(comparing);
      clearInterval(listing);
      clearTimeout(retry);
      for (const node of [...leaving.keys()]) stay(node);
      for (const subscription of subscriptions) subscription.unsubscribe();
      await Promise.all(writing.values());
    },
  };
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
}
