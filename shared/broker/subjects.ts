/**
 * Every NATS subject, stream and consumer name of Sextant, built here and nowhere else.
 *
 * A token that comes from data could widen a subject (`*`, `>`) or move it (`.`): `token` refuses
 * both.
 * @module
 */

/** The hub services that answer HTTP over NATS. */
export const HUB_SERVICES = ["identity", "collaboration", "task"] as const;
export type HubService = typeof HUB_SERVICES[number];

/** Who may hold a broker credential, besides nodes. */
export type ServiceName = HubService | "gateway" | "shell";

export const STREAMS = { events: "EVENTS" } as const;
/** Carried work to nodes in hubs of the version before; this one deletes it. */
export const OLD_DISPATCH_STREAM = "DISPATCH";

/** What a node reports, each its own subject so that a permission or a log line can name it. */
export const REPORT_KINDS = [
  "hello",
  "work",
  "accepted",
  "start",
  "held",
  "finish",
  "lost",
] as const;
export type ReportKind = typeof REPORT_KINDS[number];

const TOKEN = /^[A-Za-z0-9_-]+$/;

/**
 * Returns `value` as one subject token; throws a TypeError when it could change the subject's
 * shape.
 */
export function token(value: string | number): string {
  const text = String(value);
  if (!TOKEN.test(text)) {
    throw new TypeError(`Cannot build a subject: ${JSON.stringify(text)} is not one token`);
  }
  return text;
}

export const subjects = {
  /** Requests for a service; its replicas share them in one queue group. */
  http: (service: HubService) => `http.${service}`,
  /** Later frames of one exchange, to the replica that took it. */
  httpExchange: (service: HubService, replica: string, exchange: string) =>
    `http.${service}.${token(replica)}.${token(exchange)}`,
  /** All later frames for one replica. */
  httpReplica: (service: HubService, replica: string) => `http.${service}.${token(replica)}.*`,
  /** A question from one hub service to another. */
  rpc: (service: HubService, method: string) => `rpc.${service}.${token(method)}`,
  /** A change that has been committed. */
  event: (noun: string, verb: string) => `event.${token(noun)}.${token(verb)}`,
  allEvents: () => "event.>",
  /** Work for a node that is connected now, or that there is some to be asked for. */
  dispatch: (node: number) => `dispatch.${token(node)}`,
  allDispatches: () => "dispatch.*",
  /** "Stop this run", to a node that is connected now. */
  kill: (node: number) => `kill.${token(node)}`,
  /** What a node has to say; answered once it is committed. */
  report: (node: number, kind: ReportKind) => `report.${token(node)}.${kind}`,
  allReports: () => "report.*.*",
  /** Log lines of a running result. */
  log: (node: number, result: number) => `log.${token(node)}.${token(result)}`,
  allLogs: () => "log.*.*",
  /**
   * The prefix under which one party receives answers. A whole token, as scoped signing keys need.
   */
  inbox: (owner: string | number) => `_INBOX.${token(owner)}`,
  /** A service asks identity for its credential. */
  enrol: (service: ServiceName) => `enrol.${service}`,
} as const;

/**
 * Splits `report.<node>.<kind>` and the like; `undefined` when the subject has another shape.
 * A node's number comes from the subject, which the broker has checked, never from the body.
 */
export function parseNodeSubject(subject: string): { node: number; rest: string } | undefined {
  const match = /^(?:report|log)\.(\d{1,15})\.([A-Za-z0-9_-]+)$/.exec(subject);
  return match ? { node: Number(match[1]), rest: match[2]! } : undefined;
}
