/**
 * What a watcher missed that is no longer in memory, read from the stream itself.
 * @module
 */
import type { BrokerConnection } from "../../../shared/broker/connection.ts";
import { BATCH, BATCH_BYTES, type FeedEntry } from "./recent.ts";
import { entryOf, firstKept, openReader } from "./stream.ts";

/** A watcher that is behind takes only as much as one answer holds. */
const REPLAY_PULL = 8;
const REPLAY_MS = 2000;

export interface Replay {
  entries: FeedEntry[];
  /** Where to go on. */
  seq: number;
  /** Whether events before these are gone. */
  gap: boolean;
}

/**
 * What the stream still has after `seq`, up to what is in memory, which begins after `memoryFrom`.
 */
export async function replay(
  nc: BrokerConnection,
  { seq, memoryFrom }: { seq: number; memoryFrom: () => number },
): Promise<Replay> {
  const reader = await openReader(nc, { start: seq + 1, max: REPLAY_PULL, expiresMs: REPLAY_MS });
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
        if (message.info.deliverySequence !== ++delivered || message.seq > memoryFrom()) break;
        const entry = entryOf(message);
        if (entry) entries.push(entry);
        at = message.seq;
        bytes += message.data.length;
        more = message.info.pending > 0 && delivered < BATCH && bytes < BATCH_BYTES;
        if (!more) break;
      }
      messages.stop();
    }
    const kept = await firstKept(nc);
    const gap = kept > seq + 1;
    // Nothing came: either it is gone, or the broker was away and the watcher asks again.
    if (at === seq && gap) at = Math.min(memoryFrom(), kept - 1);
    return { entries, seq: at, gap };
  } finally {
    reader.end();
  }
}
