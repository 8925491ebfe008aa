/**
 * Logging what may come in floods: by its beginning, and now and then how much was left out.
 * @module
 */
import type { LogFields, Logger } from "./log.ts";
import { createRateLimiter } from "./rate_limiter.ts";

export interface LogBeginningsOptions {
  /** Lines about one party that are written at once, and that may follow each minute. */
  burst?: number;
  perMinute?: number;
  /** Milliseconds. */
  now?: () => number;
}

/** Warns about something that a party does, unless there was a lot of that lately. */
export type WarnOfBeginning = (party: string, message: string, fields?: LogFields) => void;

/** All parties together may have ten times the lines of one: there may be ten thousand of them. */
const ALL = 10;

export function logBeginnings(
  log: Pick<Logger, "warn">,
  { burst = 10, perMinute = 4, now = Date.now }: LogBeginningsOptions = {},
): WarnOfBeginning {
  const each = createRateLimiter({ burst, perMinute, now });
  const all = createRateLimiter({ burst: ALL * burst, perMinute: ALL * perMinute, now });
  let leftOut = 0;

  return function warn(party, message, fields = {}) {
    if (each.take(party) > 0 || all.take("all") > 0) {
      leftOut++;
      return;
    }
    log.warn(message, leftOut === 0 ? fields : { ...fields, lines_left_out: leftOut });
    leftOut = 0;
  };
}
