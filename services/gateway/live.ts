/**
 * `GET /api/events`: the live feed as server-sent events.
 *
 * Each event carries its place in the stream as its id. Who comes back with `Last-Event-ID` (or `?last_event_id=`)
 * gets what was missed; when that is gone, or the stream is another one, an event `gap` says so.
 * @module
 */
import type { Context } from "hono";
import { SextantError } from "../../shared/service/errors.ts";
import { type AppEnv } from "../../shared/contract/app.ts";
import { declareFacts } from "../../shared/contract/route_facts.ts";
import { demand, type Principal, widestScope } from "../../shared/contract/permissions.ts";
import type { Feed, Place } from "./feed.ts";
import type { Principals } from "./principals.ts";
import { changesSight, isWatched, maySee } from "./rules.ts";

export interface LiveOptions {
  feed: Feed;
  principals: Pick<Principals, "of">;
  /** Milliseconds after which a quiet stream says that it is alive. */
  heartbeatMs?: number;
  /** How often a watcher's rights are looked up, beside when an event says that they changed. */
  refreshMs?: number;
}

const encoder = new TextEncoder();
const PLACE = /^([0-9a-z]{1,12})-(\d{1,15})$/;

/** Reads the id of an event; `undefined` for what is none. */
export function parsePlace(text: string | undefined): Place | undefined {
  const match = PLACE.exec(text ?? "");
  return match ? { epoch: match[1]!, seq: Number(match[2]) } : undefined;
}

/** Makes the handler of the route. */
export function liveFeed(
  { feed, principals, heartbeatMs = 15_000, refreshMs = 5_000 }: LiveOptions,
): (c: Context<AppEnv>) => Promise<Response> {
  async function getEvents(c: Context<AppEnv>) {
    const authorization = c.req.header("authorization");
    async function watcher(): Promise<Principal> {
      const principal = await principals.of(authorization);
      if (!principal) {
        throw new SextantError("unauthenticated", "Log in first: this needs an access token.");
      }
      const watches = principal.kind === "user" &&
        widestScope(principal, "event:RECEIVE") !== undefined;
      demand(watches, "receive events");
      return principal;
    }

    let principal = await watcher();
    let seenAt = performance.now();
    const since = c.req.header("last-event-id") ?? c.req.query("last_event_id");
    const given = parsePlace(since);
    if (since && !given) {
      throw new SextantError("invalid_request", "Last-Event-ID is not the id of an event.");
    }
    let place = given ?? await feed.now();
    const gone = new AbortController();
    c.req.raw.signal.addEventListener("abort", () => gone.abort(), { once: true });
    let first = true;

    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      // Called when the client has taken what there is: a slow one falls behind instead of filling memory.
      async pull(controller) {
        try {
          if (first) {
            first = false;
            return controller.enqueue(encoder.encode(`retry: 1000\nid: ${idOf(place)}\n\n`));
          }
          for (;;) {
            const batch = await feed.after(place, { timeoutMs: heartbeatMs, signal: gone.signal });
            if (gone.signal.aborted) return controller.close();
            const stale = performance.now() - seenAt > refreshMs ||
              batch.entries.some((entry) => changesSight(entry.event));
            if (stale) {
              principal = await watcher();
              seenAt = performance.now();
            }
            const moved = place.seq !== batch.place.seq || place.epoch !== batch.place.epoch;
            place = batch.place;
            let text = batch.gap ? `event: gap\nid: ${idOf(place)}\ndata: {}\n\n` : "";
            for (const { seq, event } of batch.entries) {
              if (!isWatched(event) || !maySee(principal, event)) continue;
              const { name, at, data } = event;
              text += `event: ${name}\nid: ${idOf({ ...place, seq })}\n` +
                `data: ${JSON.stringify({ at, ...data })}\n\n`;
            }
            // Nothing for this watcher: only the place moved on.
            if (text === "" && moved) continue;
            return controller.enqueue(encoder.encode(text || ": alive\n\n"));
          }
        } catch (error) {
          // The token has run out, the right is gone, or this process ends: the client learns why when it comes back.
          gone.abort();
          if (error instanceof SextantError) controller.close();
          else controller.error(error);
        }
      },
      cancel: () => gone.abort(),
    }, { highWaterMark: 1 });
    return c.body(body, 200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
  }

  return declareFacts(getEvents, {
    access: { kinds: ["user"], permission: "event:RECEIVE" },
  });
}

function idOf({ epoch, seq }: Place): string {
  return `${epoch}-${seq}`;
}
