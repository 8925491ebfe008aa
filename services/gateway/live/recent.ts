/**
 * The newest events in memory, bounded in number and in bytes: one event may be as large as a
 * message.
 * @module
 */
import type { SextantEvent } from "../../../shared/messages/events.ts";

export interface FeedEntry {
  seq: number;
  event: SextantEvent;
  /** Bytes of the message. */
  size: number;
}

export interface Recent {
  /** The place before the first of them. */
  readonly from: number;
  add(entry: FeedEntry): void;
  /** What comes after a place, as much as one answer may hold; `complete` when that is all. */
  after(seq: number): { entries: FeedEntry[]; complete: boolean };
  /** Begins anew, after this place. */
  clear(seq: number): void;
}

export interface RecentOptions {
  /** Events kept: at least so many if their bytes allow, at most twice as many. */
  keep?: number;
  /** Bytes of their messages. */
  keepBytes?: number;
}

/** An answer ends with so many events, or with the one that brings it to so many bytes. */
export const BATCH = 256;
export const BATCH_BYTES = 512 * 1024;

export function createRecent({ keep = 5000, keepBytes = 16 * 2 ** 20 }: RecentOptions): Recent {
  let entries: FeedEntry[] = [];
  let bytes = 0;
  let from = 0;

  /** Lets the older ones go: half at once, for each time all the others are moved. */
  function shrink() {
    let gone = 0;
    while (gone < entries.length - 1) {
      if (entries.length - gone <= keep && bytes <= keepBytes / 2) break;
      bytes -= entries[gone++]!.size;
    }
    entries = entries.slice(gone);
    from = entries[0]!.seq - 1;
  }

  /** The index of the first entry after a place. By halves: watchers are mostly at the end. */
  function indexAfter(seq: number): number {
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (entries[middle]!.seq > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  return {
    get from() {
      return from;
    },
    add(entry) {
      entries.push(entry);
      bytes += entry.size;
      if (entries.length > 2 * keep || bytes > keepBytes) shrink();
    },
    after(seq) {
      const start = indexAfter(seq);
      let end = start;
      for (let size = 0; end < entries.length && end - start < BATCH && size < BATCH_BYTES; end++) {
        size += entries[end]!.size;
      }
      return { entries: entries.slice(start, end), complete: end === entries.length };
    },
    clear(seq) {
      entries = [];
      bytes = 0;
      from = seq;
    },
  };
}
