/**
 * Long work of a process that has others to answer meanwhile.
 * @module
 */
import { setImmediate } from "node:timers/promises";

/**
 * Returns what long work awaits between its steps: it lets others go on when they have waited for
 * so many milliseconds, and else costs nothing.
 */
export function createPauses(afterMs = 20): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < afterMs) return;
    await setImmediate();
    since = performance.now();
  };
}
