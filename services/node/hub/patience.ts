/**
 * How long something is tried that fails although the hub is there: what is between refuses it, or
 * swallows it, and whoever waits for the run shall learn that.
 * @module
 */

/** Long enough for a hub's door that is being mended, short enough for somebody who waits. */
export const PATIENCE_MS = 1_800_000;

export interface Patience {
  /** Asked after each failure. While nothing of the hub answers, no time passes. */
  isOver(): boolean;
  /** Something has moved: it begins anew. */
  renew(): void;
}

export interface CreatePatienceOptions {
  /** Whether the hub is there, by another way. */
  isThere: () => boolean;
  patienceMs?: number;
  now?: () => number;
}

export function createPatience(
  { isThere, patienceMs = PATIENCE_MS, now = () => performance.now() }: CreatePatienceOptions,
): Patience {
  let passed = 0;
  let last = isThere() ? now() : undefined;
  return {
    isOver() {
      const at = now();
      const there = isThere();
      if (there && last !== undefined) passed += at - last;
      last = there ? at : undefined;
      return passed >= patienceMs;
    },
    renew() {
      passed = 0;
      last = isThere() ? now() : undefined;
    },
  };
}

/** `30 minutes`, for messages. */
export function spanOf(patienceMs: number): string {
  return `${Math.round(patienceMs / 60_000)} minutes`;
}
