/**
 * The connections of nodes, as the broker tells of them on its system account: each as it comes and
 * goes, and all of them as a list.
 *
 * A node is recognised by its credential: the name that identity signed into it, and who signed.
 * What a client calls itself proves nothing. The broker has checked the credential; of it
 * nats-server
 * 2.9 tells the name as `name_tag`, which later ones give the name of the account instead.
 * @module
 */
import { z } from "zod";
import { type BrokerConnection, RequestStrategy } from "../../../shared/broker/connection.ts";
import { subjects } from "../../../shared/broker/subjects.ts";
import { type NodeIssuers, parseJwtSegment } from "../../../shared/node_protocol/credential.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { ConnectionId } from "./state.ts";

const credential = {
  name_tag: z.string().optional(),
  issuer_key: z.string().optional(),
  jwt: z.string().optional(),
};
const nameClaim = z.object({ name: z.string() });
const ofOneNode = z.object({
  data: z.object({
    connections: z.array(z.object({
      ...credential,
      authorized_user: z.string().default(""),
      ip: z.string().default(""),
    })).nullish().transform((list) => list ?? []),
  }),
});
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

/** What of the connection to the system account is used here. */
export type SystemConnection = Pick<BrokerConnection, "subscribe" | "requestMany">;

export interface BrokerConnectionsOptions {
  system: SystemConnection;
  issuers: NodeIssuers;
  log: Logger;
}

export interface Heard {
  came(connection: ConnectionId, node: number): void;
  went(connection: ConnectionId, node: number): void;
}

/** Tells of every connection of a node that comes or goes; returns what ends that. */
export function hearConnections(
  { system, issuers, log }: BrokerConnectionsOptions,
  { came, went }: Heard,
): () => void {
  function listen(kind: "CONNECT" | "DISCONNECT", tell: Heard["came"]) {
    return system.subscribe(`$SYS.ACCOUNT.${issuers.appAccountPublic}.${kind}`, {
      callback(error, message) {
        if (error) return log.warn("The broker's connections cannot be heard", { error });
        const event = connectionEvent.safeParse(parse(message.data));
        if (!event.success) return log.warn("The broker tells something else", { kind });
        const { server, client } = event.data;
        const node = nodeOf(client, issuers);
        if (node !== undefined) tell(`${server.id} ${client.id}`, node);
      },
    });
  }
  const subscriptions = [listen("CONNECT", came), listen("DISCONNECT", went)];
  return () => subscriptions.forEach((one) => one.unsubscribe());
}

/**
 * Each of the broker's servers answers for itself; this long after the last answer, none is
 * missing.
 */
const ANSWERS_WITHIN_MS = 300;
const LIST_TIMEOUT_MS = 3_000;
/**
 * Connections in one answer: with its credential each takes some 1.5 KB, and a message holds 1 MiB.
 */
const PAGE_SIZE = 400;
/**
 * The broker's list of all connections of nodes: connection → node. Throws when it cannot be had
 * whole.
 *
 * Pages are asked for by their offset in the order of the connections' numbers. When one closes
 * between two pages, those behind it move up, and one would be on neither page; so each page
 * repeats a tenth of the page before it. One that begins behind the end of the page before it may
 * have lost some nevertheless: then the list is no list.
 */
export async function listConnections(
  { system, issuers, pageSize = PAGE_SIZE, answersWithinMs = ANSWERS_WITHIN_MS }:
    & Pick<BrokerConnectionsOptions, "system" | "issuers">
    & { pageSize?: number | undefined; answersWithinMs?: number },
): Promise<Map<ConnectionId, number>> {
  const step = pageSize - Math.ceil(pageSize / 10);
  const listed = new Map<ConnectionId, number>();
  /** Server → the highest number of a connection on the pages so far. */
  const ends = new Map<string, number>();
  for (let offset = 0, more = true; more; offset += step) {
    more = false;
    let answered = 0;
    const question = {
      auth: true,
      acc: issuers.appAccountPublic,
      sort: "cid",
      limit: pageSize,
      offset,
    };
    const answers = await system.requestMany(
      "$SYS.REQ.SERVER.PING.CONNZ",
      JSON.stringify(question),
      {
        strategy: RequestStrategy.JitterTimer,
        jitter: answersWithinMs,
        maxWait: LIST_TIMEOUT_MS,
      },
    );
    for await (const answer of answers) {
      const { server, data: { connections, total } } = connectionList.parse(parse(answer.data));
      answered++;
      const [first, last] = [connections[0]?.cid, connections.at(-1)?.cid];
      if (first !== undefined && first > (ends.get(server.id) ?? Infinity)) {
        throw new Error("Too many connections closed while the broker listed them");
      }
      if (last !== undefined) ends.set(server.id, last);
      for (const one of connections) {
        const node = nodeOf(one, issuers);
        if (node !== undefined) listed.set(`${server.id} ${one.cid}`, node);
      }
      if (offset + pageSize < total) more = true;
    }
    if (answered === 0) throw new Error("No server of the broker has listed its connections");
  }
  return listed;
}

/** Connections of one node in one answer: more than one agent and its renewals ever have. */
const MOST_OF_ONE_NODE = 1000;

/**
 * The connections that one node has at this moment: the public key that each logged in with, and
 * its address. Throws when no server of the broker answers.
 *
 * The servers look for connections that listen on inboxes of the node, as each that has asked the
 * hub something does. They cannot look for the key: nats-server 2.9 finds no user of a JWT by
 * `user`.
 */
export async function connectionsOf(
  node: number,
  { system, issuers, answersWithinMs = ANSWERS_WITHIN_MS }:
    & Pick<BrokerConnectionsOptions, "system" | "issuers">
    & { answersWithinMs?: number },
): Promise<{ public_key: string; address: string }[]> {
  const question = {
    auth: true,
    acc: issuers.appAccountPublic,
    filter_subject: `${subjects.inbox(node)}.>`,
    limit: MOST_OF_ONE_NODE,
  };
  const answers = await system.requestMany(
    "$SYS.REQ.SERVER.PING.CONNZ",
    JSON.stringify(question),
    { strategy: RequestStrategy.JitterTimer, jitter: answersWithinMs, maxWait: LIST_TIMEOUT_MS },
  );
  const found: { public_key: string; address: string }[] = [];
  let answered = 0;
  for await (const answer of answers) {
    answered++;
    for (const one of ofOneNode.parse(parse(answer.data)).data.connections) {
      if (nodeOf(one, issuers) !== node) continue;
      found.push({ public_key: one.authorized_user, address: one.ip });
    }
  }
  if (answered === 0) throw new Error("No server of the broker has listed the node's connections");
  return found;
}

function nodeOf(
  { name_tag, issuer_key, jwt }: {
    name_tag?: string | undefined;
    issuer_key?: string | undefined;
    jwt?: string | undefined;
  },
  { nodeSignerPublic }: NodeIssuers,
): number | undefined {
  if (issuer_key !== nodeSignerPublic) return undefined;
  const claims = nameClaim.safeParse(parseJwtSegment(jwt?.split(".")[1] ?? ""));
  const name = claims.success ? claims.data.name : name_tag ?? "";
  return /^\d{1,9}$/.test(name) ? Number(name) : undefined;
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
}
