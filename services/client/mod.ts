/**
 * The typed client of a hub's public API. It uses web standards alone, and works in Deno, in
 * Node.js from 20 on, and in browsers.
 *
 * @example
 * ```ts
 * const client = createClient({ url: "https://hub.example" });
 * await client.logIn({ username: "alice", password });
 * const { outcomes } = await client.run({
 *   image: "deno:average@1.0.0",
 *   collaboration: 1,
 *   organizations: [2],
 *   input: { method: "central", kwargs: { column: "age" } },
 * });
 * ```
 * @module
 */
export {
  type Client,
  type ClientOptions,
  createClient,
  type LoggedIn,
  type LogIn,
  type Ran,
  type RunOptions,
} from "./client.ts";
export * from "./errors.ts";
export type { EventOptions, FeedEvent } from "./events.ts";
export {
  newOrganizationKey,
  type OrganizationKey,
  readOrganizationKey,
} from "./keys/organization_key.ts";
export { createMemoryKeyStore, type KeyStore } from "./keys/seen_keys.ts";
export type { List, ListOptions } from "./lists.ts";
export { collect, type Content } from "./payloads/bytes.ts";
export { createMemoryStore, type SessionStore, type TokenPair } from "./session.ts";
export type { Change, FollowOptions, Progress } from "./tasks/follow.ts";
export { isGood, type Outcome } from "./tasks/outcome.ts";
export type { Call, Database, NewTask, PostOptions } from "./tasks/post.ts";
export type { OpenResultOptions } from "./tasks/results.ts";
