/**
 * How the gateway leaves: no new requests, then the end of those under way.
 * @module
 */
import type { HttpClient } from "../../../shared/http_over_nats/mod.ts";
import { settlesIn } from "../../../shared/service/settles_in.ts";
import type { Feed } from "../live/feed.ts";

export interface CloseDoorOptions {
  server: Pick<Deno.HttpServer, "shutdown">;
  feed: Pick<Feed, "stop">;
  http: Pick<HttpClient, "close">;
  /** How long requests under way may take to their end, in milliseconds. */
  graceMs?: number;
}

/**
 * For the last words to those who were broken off. Who does not read them must not keep the
 * process.
 */
const LAST_WORDS_MS = 1_000;

/**
 * Takes no more requests and resolves when those under way are answered. The streams of events,
 * which have no end of their own, end at once. What is not answered after `graceMs` (a held
 * request, a large payload) is broken off.
 */
export async function closeDoor(
  { server, feed, http, graceMs = 5_000 }: CloseDoorOptions,
): Promise<void> {
  const fed = feed.stop();
  const down = server.shutdown();
  if (!await settlesIn(graceMs, down)) {
    http.close();
    await settlesIn(LAST_WORDS_MS, down);
  }
  await fed;
}
