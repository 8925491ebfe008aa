/**
 * Hearing of the owner's decisions, which come as files: at once where the file system tells of
 * them, and now and then in any case.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";

export interface DecisionWatch {
  /**
   * Resolves when something in the folder may have changed since the call; rejects with the
   * signal's reason.
   */
  changed(signal: AbortSignal): Promise<void>;
}

/** A network's file system tells nobody of changes. */
const LOOK_EVERY_MS = 5_000;

export function watchDecisions(
  folder: string,
  log: Logger,
): DecisionWatch & { close(): void } {
  const waiting = new Set<() => void>();
  let watcher: Deno.FsWatcher | undefined;
  let begun = false;

  async function watch(): Promise<void> {
    watcher = Deno.watchFs(folder, { recursive: false });
    for await (const _ of watcher) for (const wake of [...waiting]) wake();
  }

  function begin(): void {
    if (begun) return;
    begun = true;
    watch().catch((error) =>
      log.warn("Decisions on held results are looked for every few seconds", {
        reason: messageOf(error),
      })
    );
  }

  return {
    changed(signal) {
      begin();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const giveUp = () => reject(signal.reason);
      const timer = setTimeout(resolve, LOOK_EVERY_MS);
      waiting.add(resolve);
      signal.addEventListener("abort", giveUp, { once: true });
      if (signal.aborted) giveUp();
      const changed = promise.finally(() => {
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
        waiting.delete(resolve);
      });
      // It is waited for only after a look.
      changed.catch(() => {});
      return changed;
    },
    close: () => watcher?.close(),
  };
}
