/**
 * Which nodes are connected, as the broker itself sees it: nobody writes heartbeats.
 *
 * The broker tells of every connect and disconnect on its system account, and drops a dead link after two missed
 * pings. At the start, and after each reconnection, the list of connections is asked for, since events may have
 * been missed. Every replica does this; the first to write a change wins, the others find nothing to do.
 * @module
 */
import type { NatsConnection } from "nats.ws";
import { z } from "zod";
import type { Logger } from "../../shared/log.ts";
import type { Outbox } from "../../shared/outbox.ts";
import type { Db } from "../../shared/db.ts";
import { onlineNodeIds, setNodeStatus } from "./store.ts";

const client = z.object({ name: z.string().optional(), user: z.string().optional() });
const connectionEvent = z.object({ client });
const connectionList = z.object({
  data: z.object({
    connections: z.array(z.object({ name: z.string().optional() })).nullish()
      .transform((list) => list ?? []),
    total: z.number(),
  }),
});

/** Connections of nodes call themselves by this; other parties' names are of another form. */
const NODE_NAME = /^node (\d{1,10})$/;

function nodeOf(name: string | undefined): number | undefined {
  const match = NODE_NAME.exec(name ?? "");
  return match ? Number(match[1]) : undefined;
}

export interface PresenceOptions {
  db: Db;
  outbox: Outbox;
  log: Logger;
  /** A connection to the broker's system account. */
  system: NatsConnection;
  now: () => Date;
  /** How often the list of connections is compared with the table. */
  compareEveryMs?: number;
}

export interface Presence {
  /** Compares the broker's list with the table and mends the table. */
  compare(): Promise<void>;
  stop(): Promise<void>;
}

export function watchPresence(
  { db, outbox, log, system, now, compareEveryMs = 5_000 }: PresenceOptions,
): Presence {
  const decoder = new TextDecoder();

  async function mark(nodeId: number, status: "online" | "offline"): Promise<void> {
    await outbox.change(async ({ tx, emit }) => {
      const row = await setNodeStatus(tx, nodeId, status, now());
      if (!row) return;
      const { organization_id, collaboration_id } = row;
      emit("node.presence", { node_id: nodeId, organization_id, collaboration_id, status });
      log.info(`Node ${status}`, { node_id: nodeId });
    });
  }

  async function connectedNodes(): Promise<Set<number>> {
    const found = new Set<number>();
    const limit = 1024;
    for (let offset = 0;; offset += limit) {
      const answer = await system.request(
        "$SYS.REQ.SERVER.PING.CONNZ",
        JSON.stringify({ limit, offset }),
        { timeout: 2_000 },
      );
      const { data } = connectionList.parse(JSON.parse(decoder.decode(answer.data)));
      for (const { name } of data.connections) {
        const node = nodeOf(name);
        if (node !== undefined) found.add(node);
      }
      if (offset + limit >= data.total) return found;
    }
  }

  async function compare(): Promise<void> {
    const connected = await connectedNodes();
    const online = new Set(await onlineNodeIds(db));
    for (const node of connected) if (!online.has(node)) await mark(node, "online");
    for (const node of online) if (!connected.has(node)) await mark(node, "offline");
  }

  function hear(payload: Uint8Array): number | undefined {
    const parsed = connectionEvent.safeParse(JSON.parse(decoder.decode(payload)));
    return nodeOf(parsed.data?.client.name);
  }

  function listen(kind: "CONNECT" | "DISCONNECT") {
    return system.subscribe(`$SYS.ACCOUNT.*.${kind}`, {
      callback(error, message) {
        if (error) return;
        const node = hear(message.data);
        if (node === undefined) return;
        // A quick reconnection can be told out of order: the list of connections decides.
        const settled = kind === "CONNECT" ? mark(node, "online") : compare();
        settled.catch((cause) => log.warn("Cannot record a node's presence now", { error: cause }));
      },
    });
  }

  const subscriptions = [listen("CONNECT"), listen("DISCONNECT")];
  const compareAgain = () =>
    compare().catch((error) => log.warn("Cannot compare the nodes' presence now", { error }));
  compareAgain();
  const timer = setInterval(compareAgain, compareEveryMs);

  return {
    compare,
    // deno-lint-ignore require-await -- symmetric with the other parts that stop
    async stop() {
      clearInterval(timer);
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}
