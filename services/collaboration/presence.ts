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
import type { NodeIssuers } from "../../shared/node_credential.ts";
import { onlineNodeIds, setNodeStatus } from "./store.ts";

/** What the broker says of a connection: the name and the issuer of the credential it logged in with. */
const connection = z.object({ name_tag: z.string().optional(), issuer_key: z.string().optional() });
const connectionEvent = z.object({ client: connection });
const connectionList = z.object({
  data: z.object({
    connections: z.array(connection).nullish().transform((list) => list ?? []),
    total: z.number(),
  }),
});

export interface PresenceOptions {
  db: Db;
  outbox: Outbox;
  log: Logger;
  /** A connection to the broker's system account. */
  system: NatsConnection;
  /** By which a node's connection is recognised: a client's own name for itself proves nothing. */
  issuers: NodeIssuers;
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
  { db, outbox, log, system, issuers, now, compareEveryMs = 5_000 }: PresenceOptions,
): Presence {
  function nodeOf({ name_tag, issuer_key }: z.infer<typeof connection>): number | undefined {
    const byNode = issuer_key === issuers.nodeSignerPublic && /^\d{1,10}$/.test(name_tag ?? "");
    return byNode ? Number(name_tag) : undefined;
  }

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
        JSON.stringify({ limit, offset, auth: true }),
        { timeout: 2_000 },
      );
      const { data } = connectionList.parse(answer.json());
      for (const one of data.connections) {
        const node = nodeOf(one);
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

  function listen(kind: "CONNECT" | "DISCONNECT") {
    return system.subscribe(`$SYS.ACCOUNT.${issuers.appAccountPublic}.${kind}`, {
      callback(error, message) {
        if (error) return;
        const parsed = connectionEvent.safeParse(message.json());
        const node = parsed.success ? nodeOf(parsed.data.client) : undefined;
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
