/**
 * What the hub takes of a node, before it looks at any of it: the broker sees to it that only a
 * node publishes on its subjects, so that whoever exceeds this harms itself alone.
 *
 * What is above a limit is dropped without an answer: a report is said again by its node a little
 * later, and a piece of a log comes again with the whole log.
 * @module
 */
import type { Counts } from "../../../shared/service/counts.ts";
import type { WarnOfBeginning } from "../../../shared/service/log_beginnings.ts";
import { type Bucket, createRateLimiter } from "../../../shared/service/rate_limiter.ts";

/** What is counted of what is not taken. */
export type RefusedKind =
  | "unproven report"
  | "unproven log"
  | "report over the limit"
  | "log over the limit"
  | "report with a foreign reply address";

/**
 * Messages of one node: as many as an agent with thousands of short runs may have. What is not
 * proven is worth nothing: an honest node's credential may have ended while it sent a few.
 */
const PROVEN = { burst: 3_000, perMinute: 60_000 };
const UNPROVEN = { burst: 20, perMinute: 60 };
/** Bytes of one node that may wait for their turn; the largest report has one MiB. */
const MOST_BYTES_WAITING = 32 * 2 ** 20;
const MOST_WAITING = 3_000;

export interface IntakeLimitsOptions {
  what: "report" | "log";
  counts: Pick<Counts, "add">;
  warn: WarnOfBeginning;
  proven?: Bucket;
  unproven?: Bucket;
  mostWaiting?: number;
  mostBytesWaiting?: number;
  now?: () => number;
}

export interface IntakeLimits {
  /**
   * Takes in a message of a node, unless there are too many. `prove` throws for one that is not the
   * node's; `use` is what is done with one that is. Resolves to what `use` does, or to nothing for
   * a message that is dropped.
   */
  take<Proven, Result>(
    message: { node: number; bytes: number },
    prove: () => Proven,
    use: (proven: Proven) => Promise<Result>,
  ): Promise<Result | undefined>;
}

export function createIntakeLimits(
  {
    what,
    counts,
    warn,
    proven = PROVEN,
    unproven = UNPROVEN,
    mostWaiting = MOST_WAITING,
    mostBytesWaiting = MOST_BYTES_WAITING,
    now = Date.now,
  }: IntakeLimitsOptions,
): IntakeLimits {
  const all = createRateLimiter({ ...proven, now });
  const doubtful = createRateLimiter({ ...unproven, now });
  const waiting = new Map<string, { messages: number; bytes: number }>();

  function refuse(kind: RefusedKind, node: string, error?: unknown): undefined {
    counts.add(kind);
    warn(node, `A node's ${what} was dropped: ${kind}`, {
      node_id: Number(node),
      ...(error === undefined ? {} : { error }),
    });
  }

  return {
    async take({ node, bytes }, prove, use) {
      const key = String(node);
      const held = waiting.get(key) ?? { messages: 0, bytes: 0 };
      const full = held.messages >= mostWaiting || held.bytes + bytes > mostBytesWaiting;
      if (full || all.take(key) > 0) return refuse(`${what} over the limit`, key);
      // Taken before the signature is looked at, which costs the most; given back if it is right.
      if (doubtful.take(key) > 0) return refuse(`unproven ${what}`, key);
      let sender;
      try {
        sender = prove();
      } catch (error) {
        return refuse(`unproven ${what}`, key, error);
      }
      doubtful.giveBack(key);
      waiting.set(key, held);
      held.messages++;
      held.bytes += bytes;
      try {
        return await use(sender);
      } finally {
        held.messages--;
        held.bytes -= bytes;
        if (held.messages === 0) waiting.delete(key);
      }
    },
  };
}
