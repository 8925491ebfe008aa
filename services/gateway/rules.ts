/**
 * The decisions of the gateway; no I/O here.
 * @module
 */
import type { HubService } from "../../shared/subjects.ts";

/** First part of the path → the service that owns it. */
const OWNERS: Record<string, HubService> = {
  token: "identity",
  organization: "identity",
  user: "identity",
  role: "identity",
  rule: "identity",
  password: "identity",
  recover: "identity",
  audit: "identity",
  collaboration: "collaboration",
  study: "collaboration",
  node: "collaboration",
  algorithmstore: "collaboration",
  task: "task",
  run: "task",
  result: "task",
  kill: "task",
  blobstream: "task",
  port: "task",
  column: "task",
};

/** The service that answers `/api/<noun>…`, or `undefined`. */
export function serviceOf(path: string): HubService | undefined {
  // The keys of nodes are not accounts of people: they are collaboration's.
  if (path === "/api/recover/node") return "collaboration";
  if (path === "/.well-known/jwks.json") return "identity";
  const noun = /^\/api\/([a-z]+)(?:\/|$)/.exec(path)?.[1];
  return noun !== undefined && Object.hasOwn(OWNERS, noun) ? OWNERS[noun] : undefined;
}

/** Routes for people and machines who have no access token (yet). A stale one they send along does not matter. */
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

/** The id a caller gave its request, if it is fit for a log; else a new one. */
export function requestIdOf(given: string | null, newId: () => string): string {
  return given !== null && /^[A-Za-z0-9_-]{8,64}$/.test(given) ? given : newId();
}
