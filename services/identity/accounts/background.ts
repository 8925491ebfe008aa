import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../../shared/service/log.ts";

export interface Background {
  /** Starts `work` after the present request was answered; what it throws is logged. */
  run(what: string, work: () => Promise<void>): void;
  /** Resolves when nothing is under way. */
  settled(): Promise<void>;
}

/** Work whose duration no client may notice, such as sending mail. */
export function createBackground(log: Logger): Background {
  const running = new Set<Promise<void>>();
  return {
    run(what, work) {
      const task = delay()
        .then(work)
        .catch((error) => log.error(`Cannot ${what}`, { error }))
        .finally(() => running.delete(task));
      running.add(task);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
