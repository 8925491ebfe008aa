/**
 * A limit on how often: a bucket of attempts for each key, which fills again with time.
 * @module
 */

export interface Bucket {
  /** Attempts that may be made at once. */
  burst: number;
  /** Attempts that come back per minute. */
  perMinute: number;
}

export interface RateLimiter {
  /** Takes one attempt; returns the seconds to wait when there is none left, else 0. */
  take(key: string): number;
  /** Gives an attempt back: it succeeded. */
  giveBack(key: string): void;
}

export interface RateLimiterOptions extends Bucket {
  /** Milliseconds. */
  now?: () => number;
  /**
   * Keys remembered; the one not heard of for longest is forgotten first. Unless given, more than
   * there are nodes in the largest hub: a node that is forgotten may do its most at once again.
   */
  maxKeys?: number;
}

/** A token bucket for each key. */
export function createRateLimiter(
  { burst, perMinute, now = Date.now, maxKeys = 50_000 }: RateLimiterOptions,
): RateLimiter {
  const buckets = new Map<string, { left: number; at: number }>();

  function bucketOf(key: string) {
    const at = now();
    const known = buckets.get(key);
    const grown = known ? known.left + (at - known.at) / 60_000 * perMinute : burst;
    const bucket = { left: Math.min(burst, grown), at };
    buckets.delete(key);
    if (buckets.size >= maxKeys) buckets.delete(buckets.keys().next().value!);
    buckets.set(key, bucket);
    return bucket;
  }

  return {
    take(key) {
      const bucket = bucketOf(key);
      if (bucket.left < 1) return Math.ceil((1 - bucket.left) / perMinute * 60);
      bucket.left--;
      return 0;
    },
    giveBack(key) {
      const bucket = bucketOf(key);
      bucket.left = Math.min(burst, bucket.left + 1);
    },
  };
}
