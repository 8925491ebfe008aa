/**
 * Who may say what on the broker: the complete list, enforced by nats-server.
 *
 * The server checks the subjects a party publishes and subscribes, but not the reply subjects it
 * names. So these rights do not make a message's writer known: what comes from a node is signed
 * (see `signing.ts`).
 * @module
 */
import {
  HUB_SERVICES,
  type HubService,
  OLD_DISPATCH_STREAM,
  type ServiceName,
  STREAMS,
  subjects,
} from "./subjects.ts";

/** Rights as a user JWT carries them. */
export interface BrokerRights {
  pub: { allow: string[] };
  sub: { allow: string[] };
  /** May answer requests it receives: how often each, and for how many nanoseconds. */
  resp?: { max: number; ttl: number };
}

const { events } = STREAMS;
const SECOND = 1_000_000_000;
/** Besides hub services: who may ask them something, and so has an inbox they write to. */
const ASKERS = ["gateway", ...HUB_SERVICES, "shell"] as const;

/** The owner part of the inbox of an enrolment credential. */
export function enrolmentInbox(service: ServiceName): string {
  return `enrol-${service}`;
}

/**
 * A node's rights. `node` is its id, or the placeholder that a scoped signing key expands to it.
 *
 * Nothing of JetStream's: it answers to whatever reply subject a request names, with rights of its
 * own, so whoever may ask it something can have it write to any other node, service or stream.
 */
export function nodeRights(node: string): BrokerRights {
  return {
    pub: { allow: [`report.${node}.>`, `log.${node}.>`] },
    sub: { allow: [`dispatch.${node}`, `kill.${node}`, `_INBOX.${node}.>`] },
  };
}

/** May ask for a credential and hear the answer, nothing else. */
export function enrolmentRights(service: ServiceName): BrokerRights {
  return {
    pub: { allow: [subjects.enrol(service)] },
    sub: { allow: [`${subjects.inbox(enrolmentInbox(service))}.>`] },
  };
}

export function serviceRights(service: ServiceName): BrokerRights {
  const rights: BrokerRights = {
    pub: { allow: [subjects.enrol(service), "rpc.*.*"] },
    sub: { allow: [`${subjects.inbox(service)}.>`, subjects.allEvents()] },
  };
  if (service === "gateway") addGateway(rights);
  else if (service === "shell") addShell(rights);
  else addHubService(rights, service);
  return rights;
}

/**
 * Hands on requests, and reads the stream of events for the live feed through consumers that nobody
 * else uses.
 */
function addGateway({ pub }: BrokerRights): void {
  pub.allow.push(
    "http.*",
    "http.*.*.*",
    `$JS.API.STREAM.INFO.${events}`,
    ...["CREATE", "INFO", "DELETE", "MSG.NEXT"].map((action) =>
      `$JS.API.CONSUMER.${action}.${events}.*`
    ),
  );
}

/** Tells of the operator's changes, and looks at how the stream and its consumers do. */
function addShell({ pub }: BrokerRights): void {
  pub.allow.push(
    "event.*.*",
    `$JS.API.STREAM.INFO.${events}`,
    `$JS.API.CONSUMER.LIST.${events}`,
  );
}

function addHubService(rights: BrokerRights, service: HubService): void {
  const { pub, sub } = rights;
  sub.allow.push(subjects.http(service), `http.${service}.*.*`, `rpc.${service}.*`);
  pub.allow.push(
    "event.*.*",
    ...ASKERS.map((asker) => `${subjects.inbox(asker)}.>`),
    ...["INFO", "CREATE", "UPDATE"].map((action) => `$JS.API.STREAM.${action}.${events}`),
    // Its own durable consumer of events, which its replicas share (see event_consumer.ts).
    `$JS.API.CONSUMER.CREATE.${events}.${service}.>`,
    ...["INFO", "MSG.NEXT"].map((action) => `$JS.API.CONSUMER.${action}.${events}.${service}`),
    `$JS.ACK.${events}.${service}.>`,
  );
  if (service === "identity") addIdentity(rights);
  if (service === "task") addTask(rights);
}

function addIdentity({ pub, sub }: BrokerRights): void {
  sub.allow.push("enrol.*");
  pub.allow.push(...ASKERS.map((asker) => `${subjects.inbox(enrolmentInbox(asker))}.>`));
}

function addTask(rights: BrokerRights): void {
  // Reports are answered into the inboxes of nodes: once each, so no right to all of `_INBOX.*.>`
  // is needed.
  rights.resp = { max: 1, ttl: 60 * SECOND };
  rights.sub.allow.push(subjects.allReports(), subjects.allLogs());
  rights.pub.allow.push(
    subjects.allDispatches(),
    "kill.*",
    `$JS.API.STREAM.DELETE.${OLD_DISPATCH_STREAM}`,
  );
}

/** Who has business with the broker itself. */
export type SystemService = "identity" | "collaboration";

/**
 * Rights in the system account: identity revokes credentials, collaboration watches connections
 * come and go.
 */
export function systemRights(service: SystemService, appAccount: string): BrokerRights {
  const inbox = `${subjects.inbox(service)}.>`;
  if (service === "identity") {
    return {
      pub: {
        allow: ["$SYS.REQ.CLAIMS.UPDATE", `$SYS.REQ.ACCOUNT.${appAccount}.CLAIMS.LOOKUP`],
      },
      sub: { allow: [inbox] },
    };
  }
  return {
    pub: { allow: ["$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.PING.CONNZ"] },
    sub: {
      allow: [inbox, "$SYS.ACCOUNT.*.CONNECT", "$SYS.ACCOUNT.*.DISCONNECT"],
    },
  };
}
