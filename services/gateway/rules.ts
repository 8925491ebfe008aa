/**
 * The decisions of the gateway; no I/O here.
 * @module
 */
import { isWatchedEvent, type WatchedEventName } from "../../shared/contract/event.ts";
import type { SextantEvent } from "../../shared/messages/events.ts";
import {
  isMember,
  mayCollaboration,
  type Principal,
  scopesOf,
} from "../../shared/contract/permissions.ts";
import type { HubService } from "../../shared/broker/subjects.ts";

/** First part of the path → the service that owns it. */
const OWNERS: Record<string, HubService> = {
  token: "identity",
  organization: "identity",
  user: "identity",
  role: "identity",
  rule: "identity",
  session: "identity",
  password: "identity",
  recover: "identity",
  audit: "identity",
  collaboration: "collaboration",
  study: "collaboration",
  node: "collaboration",
  metrics: "collaboration",
  algorithm: "collaboration",
  algorithmstore: "collaboration",
  task: "task",
  run: "task",
  result: "task",
  kill: "task",
  blobstream: "task",
  port: "task",
  column: "task",
};

/** For figures: the noun of a path, of those that there are. */
export function nounOf(path: string): string {
  const noun = /^\/api\/([a-z]+)(?:\/|$)/.exec(path)?.[1];
  return noun !== undefined && (Object.hasOwn(OWNERS, noun) || noun === "events") ? noun : "other";
}

/** The service that answers `/api/<noun>…`, or `undefined`. */
export function serviceOf(path: string): HubService | undefined {
  // The keys of nodes are not accounts of people: they are collaboration's.
  if (path === "/api/recover/node") return "collaboration";
  if (path === "/.well-known/jwks.json") return "identity";
  const noun = /^\/api\/([a-z]+)(?:\/|$)/.exec(path)?.[1];
  return noun !== undefined && Object.hasOwn(OWNERS, noun) ? OWNERS[noun] : undefined;
}

/**
 * Routes for people and machines who have no access token (yet). A stale one they send along does
 * not matter.
 */
const WITHOUT_TOKEN = new Set([
  "/.well-known/jwks.json",
  "/api/token/user",
  "/api/token/node",
  "/api/token/refresh",
  "/api/recover/lost",
  "/api/recover/reset",
  "/api/recover/2fa/lost",
  "/api/recover/2fa/reset",
]);

export function skipsAuthentication(path: string): boolean {
  return WITHOUT_TOKEN.has(path);
}

/**
 * Where an algorithm store asks whose token it was sent: there alone the tokens are good that
 * stores are sent.
 */
export function takesStoreTokens(path: string): boolean {
  return path === "/api/token/user/validate" || path === "/api/token/node/validate";
}

/** The id a caller gave its request, if it is fit for a log; else a new one. */
export function requestIdOf(given: string | null, newId: () => string): string {
  return given !== null && /^[A-Za-z0-9_-]{8,64}$/.test(given) ? given : newId();
}

type WatchedEvent = Extract<SextantEvent, { name: WatchedEventName }>;

export function isWatched(event: SextantEvent): event is WatchedEvent {
  return isWatchedEvent(event.name);
}

/**
 * Whether a watcher may see an event: all with `event:RECEIVE:GLOBAL`; those of their
 * collaborations with COLLABORATION; of those with ORGANIZATION what concerns their own
 * organization, as its node, its share or its task. What an algorithm prints is part of a result,
 * and asks for the right to view that too.
 */
export function maySee(principal: Principal, event: WatchedEvent): boolean {
  const { data } = event;
  if (event.name === "result.log" && !maySeeLog(principal, event.data)) return false;
  const held = scopesOf(principal, "event:RECEIVE");
  if (held.has("GLOBAL")) return true;
  if (!isMember(principal, data.collaboration_id)) return false;
  if (held.has("COLLABORATION")) return true;
  const own = principal.organization_id;
  return held.has("ORGANIZATION") &&
    (("organization_id" in data && data.organization_id === own) ||
      ("init_org_id" in data && data.init_org_id === own));
}

function maySeeLog(
  principal: Principal,
  log: { collaboration_id: number; init_org_id: number; init_user_id: number },
): boolean {
  const held = scopesOf(principal, "run:VIEW");
  return mayCollaboration(principal, "run:VIEW", log.collaboration_id) ||
    (held.has("ORGANIZATION") && log.init_org_id === principal.organization_id) ||
    (held.has("OWN") && principal.kind === "user" && log.init_user_id === principal.id);
}

/** Whether an event may change what somebody is allowed to see. */
export function changesSight({ name }: SextantEvent): boolean {
  return /^(user|session|role|organization|collaboration)\./.test(name);
}
