/**
 * The live feed as an iterator: what happens, from now on, through cuts of the connection.
 * @module
 */
import { readWatchedEvent, type WatchedEvent } from "../../shared/contract/event.ts";
import { ApiError, UnreachableError } from "./errors.ts";
import type { Calls } from "./calls.ts";
import { readServerSentEvents, type ServerSentEvent } from "./server_sent_events.ts";
import { delay } from "./transport.ts";

/**
 * What happened; `id` is the place in the feed, to go on from. `feed.begun` comes first, when all
 * that happens from then on will come, and after each cut that was mended. `feed.gap` says that
 * events are gone that were not seen: look afresh at whatever you follow.
 */
export type FeedEvent =
  & { id: string }
  & (WatchedEvent | { name: "feed.begun"; resumed: boolean } | { name: "feed.gap" });

export interface EventOptions {
  signal?: AbortSignal;
  /** Begins after the event with this id, in place of now. */
  after?: string;
  /** Told when the connection broke, and why; it is being made anew. */
  onCut?: (error: unknown) => void;
}

/** The hub says every 15 seconds that it is there. */
const SILENCE_MS = 45_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Follows the feed until the signal, or the one who iterates, ends it. Rejects when the hub
 * refuses: the session is over, or the right to watch is missing.
 */
export async function* followEvents(
  calls: Calls,
  { signal, after, onCut }: EventOptions = {},
): AsyncGenerator<FeedEvent> {
  let place = after;
  let resumed = false;
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    const cut = new AbortController();
    const both = signal ? AbortSignal.any([signal, cut.signal]) : cut.signal;
    try {
      for await (const event of connection(calls, { place, signal: both, silent: cut })) {
        if (event.id !== undefined) place = event.id;
        pause = FIRST_PAUSE_MS;
        const shown = shownOf(event, { place: place ?? "", resumed });
        if (shown) yield shown;
        if (shown?.name === "feed.begun") resumed = true;
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (isRefusal(error)) throw error;
      onCut?.(error);
    } finally {
      cut.abort();
    }
    if (signal?.aborted) return;
    // An orderly end, too: a gateway that stops, or looks at the token again.
    await delay(pause * (0.5 + Math.random()), signal).catch(() => {});
    if (signal?.aborted) return;
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

async function* connection(
  calls: Calls,
  { place, signal, silent }: {
    place: string | undefined;
    signal: AbortSignal;
    silent: AbortController;
  },
): AsyncGenerator<ServerSentEvent> {
  const response = await calls.open("GET", "/events", {
    headers: {
      accept: "text/event-stream",
      ...(place === undefined ? {} : { "last-event-id": place }),
    },
    signal,
  });
  if (!response.body) throw new Error("the feed is empty");
  let timer: ReturnType<typeof setTimeout> | undefined;
  function heard() {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(new Error("the hub is silent")), SILENCE_MS);
  }
  try {
    yield* readServerSentEvents(response.body, heard);
  } finally {
    clearTimeout(timer);
  }
}

function shownOf(
  { event, data, id }: ServerSentEvent,
  { place, resumed }: { place: string; resumed: boolean },
): FeedEvent | undefined {
  // The hub begins with the place alone.
  if (event === undefined && id !== undefined) return { name: "feed.begun", id: place, resumed };
  if (event === "gap") return { name: "feed.gap", id: place };
  const known = event === undefined ? undefined : readWatchedEvent(event, data);
  return known && { ...known, id: place };
}

/** Whether asking again is of no use. */
function isRefusal(error: unknown): boolean {
  if (error instanceof UnreachableError) return false;
  return error instanceof ApiError && error.status < 500 && error.status !== 429;
}
