/**
 * What happens, in the order of the stream of events, for those who watch.
 *
 * One reader for the whole process keeps the newest events in memory. A watcher is no more than a
 * place in the stream: it takes what comes after that, from memory or, when it has been away or is
 * slow, from the stream itself. What is kept, what is handed out at once and what is asked of the
 * broker at once is bounded in bytes, because one event may be as large as a message: so neither
 * watchers nor what they watch can make the process grow.
 * @module
 */
import type { BrokerConnection } from "../../../shared/broker/connection.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { noTracer, type Tracer } from "../../../shared/tracing/tracer.ts";
import { createFollower } from "./follower.ts";
import { createRecent, type FeedEntry, type RecentOptions } from "./recent.ts";
import { replay } from "./replay.ts";
import type { Place } from "./stream.ts";

/** What comes after a place. */
export interface FeedBatch {
  entries: FeedEntry[];
  /** Where to go on. */
  place: Place;
  /** Whether events before these are gone: a watcher should look afresh. */
  gap: boolean;
}

export interface Feed {
  /**
   * The end of the stream: whoever starts here hears only what is new. Throws `unavailable` after
   * `stop`.
   */
  now(): Promise<Place>;
  /**
   * Waits, at most `timeoutMs`, for what comes after `place`. Throws `unavailable` after `stop`.
   */
  after(place: Place, options: WaitOptions): Promise<FeedBatch>;
  /** Ends the reader, and sends away whoever waits. */
  stop(): Promise<void>;
}

interface WaitOptions {
  timeoutMs: number;
  signal: AbortSignal;
}

export interface FeedOptions extends RecentOptions {
  nc: BrokerConnection;
  tracer?: Tracer;
  log: Logger;
}

export function createFeed({ nc, log, tracer = noTracer, ...kept }: FeedOptions): Feed {
  const stopping = new AbortController();
  const recent = createRecent(kept);
  const waiting = new Set<() => void>();

  function wake() {
    for (const resolve of [...waiting]) resolve();
  }

  const follower = createFollower({
    nc,
    recent,
    moved: wake,
    tracer,
    signal: stopping.signal,
    log,
  });

  /** Resolves when something new has come, the time is over or the watcher is gone. */
  function news({ timeoutMs, signal }: WaitOptions): Promise<void> {
    return new Promise((resolve) => {
      function done() {
        clearTimeout(timer);
        waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      }
      const timer = setTimeout(done, timeoutMs);
      waiting.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }

  async function demandRunning(): Promise<void> {
    await follower.ready;
    if (!stopping.signal.aborted) return;
    throw new SextantError("unavailable", "The gateway is closing; come back in a moment.");
  }

  return {
    async now() {
      await demandRunning();
      return follower.end();
    },
    async after({ epoch, seq }, options) {
      await demandRunning();
      const isElsewhere = () => epoch !== follower.end().epoch;
      const lost = () => ({ entries: [], place: follower.end(), gap: true });
      if (isElsewhere() || seq > follower.end().seq) return lost();
      if (seq === follower.end().seq) {
        await news(options);
        await demandRunning();
        if (isElsewhere()) return lost();
      }
      if (seq < recent.from) {
        const missed = await replay(nc, { seq, memoryFrom: () => recent.from });
        return { ...missed, place: { epoch: follower.end().epoch, seq: missed.seq } };
      }
      const { entries, complete } = recent.after(seq);
      const next = complete ? Math.max(follower.end().seq, seq) : entries.at(-1)!.seq;
      return { entries, place: { epoch, seq: next }, gap: false };
    },
    async stop() {
      stopping.abort();
      wake();
      await follower.ended;
    },
  };
}
