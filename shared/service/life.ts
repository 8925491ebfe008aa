/**
 * The life of one running service: what was started is ended in the reverse order, each part by
 * itself.
 * @module
 */
import type { Logger } from "./log.ts";

/** Ends one thing that was started. */
export type Phase = () => unknown;

/** What a service is given when it starts. */
export interface ServiceLife {
  log: Logger;
  /** Registers what must be ended when the service stops, whether or not it had started wholly. */
  onStop(name: string, phase: Phase): void;
}

export interface RunningLife extends ServiceLife {
  /**
   * Runs the phases, the last registered first. One that fails is logged and keeps no other
   * waiting.
   */
  stop(): Promise<void>;
}

/** For `runService`, which stops it at a signal, and for tests, which stop it at their end. */
export function createLife(log: Logger): RunningLife {
  const phases: { name: string; phase: Phase }[] = [];
  return {
    log,
    onStop: (name, phase) => void phases.push({ name, phase }),
    async stop() {
      for (const { name, phase } of phases.splice(0).reverse()) {
        try {
          await phase();
        } catch (error) {
          log.warn("A part did not stop cleanly", { part: name, error });
        }
      }
    },
  };
}
