/**
 * Counting what happens too often to be written down each time: summed up here, and handed on now
 * and then.
 * @module
 */
import { messageOf } from "./errors.ts";
import type { Logger } from "./log.ts";

export interface Counts {
  /** Counts one of a kind. */
  add(kind: string): void;
  /** Hands on what there is; resolves when it is kept, or will be tried again. */
  flush(): Promise<void>;
  /** Hands on what is left, and ends. */
  stop(): Promise<void>;
}

export interface CountsOptions {
  /** Keeps what was counted since it last resolved. */
  keep: (counts: Record<string, number>) => Promise<unknown>;
  log: Logger;
  everyMs?: number;
}

export function createCounts({ keep, log, everyMs = 5_000 }: CountsOptions): Counts {
  let counted = new Map<string, number>();
  let keeping = Promise.resolve();

  async function keepAll(): Promise<void> {
    if (counted.size === 0) return;
    const some = counted;
    counted = new Map();
    try {
      await keep(Object.fromEntries(some));
    } catch (error) {
      for (const [kind, count] of some) counted.set(kind, count + (counted.get(kind) ?? 0));
      log.debug("Counts are not kept yet", { reason: messageOf(error) });
    }
  }

  function flush(): Promise<void> {
    return keeping = keeping.then(keepAll);
  }

  const timer = setInterval(flush, everyMs);
  return {
    add: (kind) => void counted.set(kind, 1 + (counted.get(kind) ?? 0)),
    flush,
    async stop() {
      clearInterval(timer);
      await flush();
    },
  };
}
