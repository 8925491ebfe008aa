/**
 * A watcher's stream of server-sent events: what they may see, from their place on.
 *
 * Each event carries its place as its id. When events were missed that are gone, an event `gap`
 * says so.
 * @module
 */
import type { Principal } from "../../../shared/contract/permissions.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { changesSight, isWatched, maySee } from "../rules.ts";
import type { Feed, FeedBatch } from "./feed.ts";
import type { Place } from "./stream.ts";

export interface EventStreamOptions {
  feed: Feed;
  /** Where the watcher begins. */
  place: Place;
  principal: Principal;
  /** Looks the watcher up again; throws when they may not watch any more. */
  lookUp: () => Promise<Principal>;
  /** Aborted when the watcher goes. */
  signal: AbortSignal;
  /** Milliseconds after which a quiet stream says that it is alive. */
  heartbeatMs: number;
  /** How often a watcher's rights are looked up, beside when an event says that they changed. */
  refreshMs: number;
}

const encoder = new TextEncoder();
const PLACE = /^([0-9a-z]{1,12})-(\d{1,15})$/;

/** Reads the id of an event; `undefined` for what is none. */
export function parsePlace(text: string | undefined): Place | undefined {
  const match = PLACE.exec(text ?? "");
  return match ? { epoch: match[1]!, seq: Number(match[2]) } : undefined;
}

/**
 * The text of the stream. It is made as the client takes it: a slow one falls behind instead of
 * filling memory.
 */
export function eventStream(
  { feed, place, principal, lookUp, signal, heartbeatMs, refreshMs }: EventStreamOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let seenAt = performance.now();
  const gone = new AbortController();
  signal.addEventListener("abort", () => gone.abort(), { once: true });
  let first = true;

  /** What to send next; `undefined` when the watcher is gone. */
  async function next(): Promise<string | undefined> {
    if (first) {
      first = false;
      return `retry: 1000\nid: ${idOf(place)}\n\n`;
    }
    for (;;) {
      const batch = await feed.after(place, { timeoutMs: heartbeatMs, signal: gone.signal });
      if (gone.signal.aborted) return undefined;
      const stale = performance.now() - seenAt > refreshMs ||
        batch.entries.some((entry) => changesSight(entry.event));
      if (stale) {
        principal = await lookUp();
        seenAt = performance.now();
      }
      const moved = place.seq !== batch.place.seq || place.epoch !== batch.place.epoch;
      place = batch.place;
      const text = textOf(batch, principal);
      // Nothing for this watcher: only the place moved on.
      if (text !== "" || !moved) return text || ": alive\n\n";
    }
  }

  return new ReadableStream({
    async pull(controller) {
      try {
        const text = await next();
        if (text === undefined) controller.close();
        else controller.enqueue(encoder.encode(text));
      } catch (error) {
        // The token has run out, the right is gone, or this process ends: the client learns why
        // when it comes back.
        gone.abort();
        if (error instanceof SextantError) controller.close();
        else controller.error(error);
      }
    },
    cancel: () => gone.abort(),
  }, { highWaterMark: 1 });
}

/** The events of a batch that somebody may see. */
function textOf({ entries, place, gap }: FeedBatch, principal: Principal): string {
  let text = gap ? `event: gap\nid: ${idOf(place)}\ndata: {}\n\n` : "";
  for (const { seq, event } of entries) {
    if (!isWatched(event) || !maySee(principal, event)) continue;
    const { name, at, data } = event;
    text += `event: ${name}\nid: ${idOf({ ...place, seq })}\n` +
      `data: ${JSON.stringify({ at, ...data })}\n\n`;
  }
  return text;
}

function idOf({ epoch, seq }: Place): string {
  return `${epoch}-${seq}`;
}
