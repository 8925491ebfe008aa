/**
 * When an agent asks for its next credential: the decision, without I/O and with the caller's
 * clock.
 * @module
 */

/** So long the broker may be away before a credential is doubted. */
const PATIENCE_MS = 30_000;

export interface RenewalOptions {
  /** How long the credential was made for. */
  lifetimeMs: number;
  now?: () => number;
  random?: () => number;
}

export interface Renewal {
  /** The longest pause between two looks. */
  readonly lookEveryMs: number;
  /** To be asked again and again, with whether the broker is connected. */
  isDue(isUp: boolean): boolean;
}

/**
 * At half of the credential's time, or when the broker has been away for a while: then it may
 * refuse the credential. That while begins with the loss, and is another one for each: when a
 * broker restarts, ten thousand agents lose it in one instant, and must not all ask the hub in the
 * next.
 */
export function createRenewal(
  { lifetimeMs, now = Date.now, random = Math.random }: RenewalOptions,
): Renewal {
  const began = now();
  const most = Math.min(PATIENCE_MS, lifetimeMs / 10);
  const patience = most * (0.5 + random() / 2);
  let lostAt: number | undefined;
  return {
    // Short, because timers stand still while a machine sleeps.
    lookEveryMs: Math.min(5000, most),
    isDue(isUp) {
      const at = now();
      lostAt = isUp ? undefined : lostAt ?? at;
      return at - began >= lifetimeMs / 2 || lostAt !== undefined && at - lostAt >= patience;
    },
  };
}
