/**
 * Which refusals are recorded: a flood of them, which anybody can bring about, must not fill the
 * database. Each who is refused is recorded from the beginning, then now and then; a record tells
 * how many before it were left out.
 * @module
 */
import { createRateLimiter } from "../service/rate_limiter.ts";

/** Of one user, of one node, or of one node's algorithms. */
const OF_ONE = { burst: 300, perMinute: 10 };
/** Of all who have not shown who they are, for each path. */
const OF_STRANGERS = { burst: 1000, perMinute: 60 };
/** Few paths are open to strangers; should there be more after all, the others count as one. */
const PATHS = 100;
/** As many are remembered of whom some were left out; those left out first are forgotten first. */
const MOST_COUNTED = 10_000;

export interface Beginnings {
  /**
   * Whether this refusal is recorded, and how many before it were not: of `who`, or of strangers at
   * `path`.
   */
  look(who: { kind: string; id: number } | undefined, path: string): {
    recorded: boolean;
    unrecorded: number;
  };
}

export function createBeginnings({ now = Date.now }: { now?: () => number } = {}): Beginnings {
  const known = createRateLimiter({ ...OF_ONE, now });
  const strangers = createRateLimiter({ ...OF_STRANGERS, now });
  const paths = new Set<string>();
  const leftOut = new Map<string, number>();

  function placeOf(path: string): string {
    if (paths.size < PATHS) paths.add(path);
    return paths.has(path) ? `strangers ${path}` : "strangers";
  }

  return {
    look(who, path) {
      const key = who ? `${who.kind} ${who.id}` : placeOf(path);
      const unrecorded = leftOut.get(key) ?? 0;
      leftOut.delete(key);
      if ((who ? known : strangers).take(key) === 0) return { recorded: true, unrecorded };
      if (leftOut.size >= MOST_COUNTED) leftOut.delete(leftOut.keys().next().value!);
      leftOut.set(key, unrecorded + 1);
      return { recorded: false, unrecorded: unrecorded + 1 };
    },
  };
}
