/**
 * What happens, in the order of the stream of events, for those who watch.
 *
 * One reader for the whole process keeps the newest events in memory. A watcher is no more than a place in the
 * stream: it takes what comes after that, from memory or, when it has been away or is slow, from the stream itself.
 * What is kept, what is handed out at once and what is asked of the broker at once is bounded in bytes, because one
 * event may be as large as a message: so neither watchers nor what they watch can make the process grow.
 * @module
 */
import { messageOf, SextantError } from "../../shared/service/errors.ts";
import { parseEvent } from "../../shared/messages/events.ts";
import type { Logger } from "../../shared/service/log.ts";
import {
  AckPolicy,
  type BrokerConnection,
  DeliverPolicy,
  type JsMsg,
  nanos,
} from "../../shared/broker/connection.ts";
import { STREAMS } from "../../shared/broker/subjects.ts";
import { BATCH, BATCH_BYTES, createRecent, type FeedEntry, type RecentOptions } from "./recent.ts";

/** A place in the stream. Another epoch is another stream: its numbers mean nothing in this one. */
export interface Place {
  epoch: string;
  seq: number;
}

/** What comes after a place. */
export interface FeedBatch {
  entries: FeedEntry[];
  /** Where to go on. */
  place: Place;
  /** Whether events before these are gone: a watcher should look afresh. */
  gap: boolean;
}

export interface Feed {
  /** The end of the stream: whoever starts here hears only what is new. Throws `unavailable` after `stop`. */
  now(): Promise<Place>;
  /** Waits, at most `timeoutMs`, for what comes after `place`. Throws `unavailable` after `stop`. */
  after(place: Place, options: { timeoutMs: number; signal: AbortSignal }): Promise<FeedBatch>;
  /** Ends the reader, and sends away whoever waits. */
  stop(): Promise<void>;
}

export interface FeedOptions extends RecentOptions {
  nc: BrokerConnection;
  log: Logger;
}

/**
 * Messages asked of the broker at once: each may have 1 MiB, and a connection that is 64 MiB behind is closed. By number,
 * because nats.ws lets a pull that is limited in bytes end with 100 messages, and then waits until it expires.
 */
const PULL = 32;
/** The same for a watcher that is behind, who takes only as much as one answer holds. */
const REPLAY_PULL = 8;
const PULL_MS = 20_000;
const RETRY_MS = 500;

export function createFeed({ nc, log, ...kept }: FeedOptions): Feed {
  const stopping = new AbortController();
  const recent = createRecent(kept);
  let last = 0;
  let epoch = "";
  const ready = Promise.withResolvers<void>();
  const waiting = new Set<() => void>();

  function wake() {
    for (const resolve of [...waiting]) resolve();
  }

  async function read(start: number, max: number, expires: number) {
    const manager = await nc.jetstreamManager();
    const { name } = await manager.consumers.add(STREAMS.events, {
      name: `feed-${crypto.randomUUID().slice(0, 13)}`,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: start,
      inactive_threshold: nanos(60_000),
      mem_storage: true,
    });
    const consumer = await nc.jetstream().consumers.get(STREAMS.events, name);
    return {
      fetch: () => consumer.fetch({ max_messages: max, expires }),
      end: () => void manager.consumers.delete(STREAMS.events, name).catch(() => {}),
    };
  }

  function take(message: JsMsg): FeedEntry | undefined {
    const event = parseEvent(message.subject, message.data);
    return event && { seq: message.seq, event, size: message.data.length };
  }

  function add(message: JsMsg) {
    last = message.seq;
    const entry = take(message);
    if (entry) recent.add(entry);
    wake();
  }

  /** Finds the stream's end, at the start; or that it is another stream than before. */
  async function locate(): Promise<void> {
    const manager = await nc.jetstreamManager();
    const { created, state } = await manager.streams.info(STREAMS.events);
    const found = Date.parse(created).toString(36);
    if (found === epoch && state.last_seq >= last) return;
    epoch = found;
    last = state.last_seq;
    recent.clear(last);
    ready.resolve();
    wake();
  }

  async function follow(): Promise<void> {
    await locate();
    const reader = await read(last + 1, PULL, PULL_MS);
    let delivered = 0;
    try {
      while (!stopping.signal.aborted) {
        const messages = await reader.fetch();
        const stop = () => messages.stop();
        stopping.signal.addEventListener("abort", stop, { once: true });
        // A pull that was under way when the connection broke would never end by itself.
        const giveUp = setTimeout(stop, PULL_MS + 2000);
        let count = 0;
        try {
          for await (const message of messages) {
            // What was on its way when a connection broke is not sent again: read it anew.
            if (message.info.deliverySequence !== ++delivered) return messages.stop();
            if (message.seq <= last) continue;
            add(message);
            count++;
          }
        } finally {
          clearTimeout(giveUp);
          stopping.signal.removeEventListener("abort", stop);
        }
        if (count === 0) await locate();
        if (count === 0) return; // with a new consumer, should this one be gone
      }
    } finally {
      reader.end();
    }
  }

  const following = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await follow();
      } catch (error) {
        if (stopping.signal.aborted) return;
        log.warn("The stream of events cannot be followed now", { reason: messageOf(error) });
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  })();

  /** The oldest place the stream still has. */
  async function firstKept(): Promise<number> {
    const manager = await nc.jetstreamManager();
    return (await manager.streams.info(STREAMS.events)).state.first_seq;
  }

  /** What the stream still has after `seq`, up to what is in memory. */
  async function replay(seq: number): Promise<FeedBatch> {
    const reader = await read(seq + 1, REPLAY_PULL, 2000);
    const entries: FeedEntry[] = [];
    let at = seq;
    let bytes = 0;
    let delivered = 0;
    try {
      for (let more = true; more;) {
        more = false;
        const messages = await reader.fetch();
        for await (const message of messages) {
          more = false;
          if (message.info.deliverySequence !== ++delivered || message.seq > recent.from) break;
          const entry = take(message);
          if (entry) entries.push(entry);
          at = message.seq;
          bytes += message.data.length;
          more = message.info.pending > 0 && delivered < BATCH && bytes < BATCH_BYTES;
          if (!more) break;
        }
        messages.stop();
      }
      const kept = await firstKept();
      const gap = kept > seq + 1;
      // Nothing came: either it is gone, or the broker was away and the watcher asks again.
      if (at === seq && gap) at = Math.min(recent.from, kept - 1);
      return { entries, place: { epoch, seq: at }, gap };
    } finally {
      reader.end();
    }
  }

  function demandRunning() {
    if (!stopping.signal.aborted) return;
    throw new SextantError("unavailable", "The gateway is closing; come back in a moment.");
  }

  return {
    async now() {
      await ready.promise;
      demandRunning();
      return { epoch, seq: last };
    },
    async after(place, { timeoutMs, signal }) {
      await ready.promise;
      demandRunning();
      if (place.epoch !== epoch || place.seq > last) {
        return { entries: [], place: { epoch, seq: last }, gap: true };
      }
      if (place.seq >= last) {
        await new Promise<void>((resolve) => {
          const done = () => {
            clearTimeout(timer);
            waiting.delete(done);
            signal.removeEventListener("abort", done);
            resolve();
          };
          const timer = setTimeout(done, timeoutMs);
          waiting.add(done);
          signal.addEventListener("abort", done, { once: true });
        });
        demandRunning();
        if (place.epoch !== epoch) return { entries: [], place: { epoch, seq: last }, gap: true };
      }
      if (place.seq < recent.from) return await replay(place.seq);
      const { entries, complete } = recent.after(place.seq);
      const seq = complete ? Math.max(last, place.seq) : entries.at(-1)!.seq;
      return { entries, place: { epoch, seq }, gap: false };
    },
    async stop() {
      stopping.abort();
      wake();
      ready.resolve();
      await following;
    },
  };
}
