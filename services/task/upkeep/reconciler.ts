/**
 * The rounds that keep the promises of the table: nodes are told again of work that they have not
 * accepted, and to stop; deadlines are kept, and what nobody needs any more is removed.
 *
 * Every replica makes these rounds; each step locks what it changes and looks again.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Db } from "../../../shared/storage/db.ts";
import type { Outbox } from "../../../shared/storage/outbox.ts";
import type { Kills } from "../dispatch/kills.ts";
import { endExpired } from "./deadlines.ts";
import { removeOld, type Retention } from "./tidy.ts";
import type { WakeUps } from "./wake_ups.ts";

export interface ReconcilerOptions {
  db: Db;
  outbox: Outbox;
  kills: Kills;
  wakeUps: WakeUps;
  retention: Retention;
  log: Logger;
  now: () => Date;
  everyMs?: number;
  /** How long an upload may stand still before it counts as broken off. */
  uploadMs?: number;
}

/** How often what is old is removed. */
const TIDY_EVERY_MS = 60_000;

export interface Reconciler {
  /** Ends what is past its deadline; returns how many tasks. */
  expire(): Promise<number>;
  /** Removes what is old. */
  tidy(): Promise<void>;
  stop(): Promise<void>;
}

/** Makes a round every few seconds until stopped. */
export function createReconciler(
  {
    everyMs = 5_000,
    uploadMs = 10 * 60_000,
    ...options
  }: ReconcilerOptions,
): Reconciler {
  const { kills, wakeUps, log } = options;
  const expire = () => endExpired(options);
  const tidy = () => removeOld({ ...options, uploadMs });
  const stopping = new AbortController();
  const { signal } = stopping;
  const failing = new Set<string>();

  /** One that fails, or has very much to do, must not hold up the others. */
  async function makeRounds(
    name: string,
    step: () => Promise<unknown>,
    { pauseMs, offsetMs }: { pauseMs: number; offsetMs: number },
  ): Promise<void> {
    // It rejects at the end only.
    const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => {});
    await pause(offsetMs);
    while (!signal.aborted) {
      try {
        await step();
        failing.delete(name);
      } catch (error) {
        const known = failing.size > 0;
        failing.add(name);
        if (!known) log.warn("Cannot reconcile now; will try again", { reason: messageOf(error) });
      }
      await pause(pauseMs);
    }
  }

  // One after the other, each with the same pause: at once, each would have a connection of its own
  // to the database, and that a process.
  const at = (turn: number) => ({ pauseMs: everyMs, offsetMs: everyMs * turn / 4 });
  const rounds = Promise.all([
    makeRounds("wake-ups", wakeUps.repeat, at(1)),
    makeRounds("deadlines", expire, at(2)),
    makeRounds("stop orders", kills.repeat, at(3)),
    makeRounds("old things", tidy, { ...at(4), pauseMs: TIDY_EVERY_MS }),
  ]);
  return {
    expire,
    tidy,
    async stop() {
      stopping.abort();
      await rounds;
    },
  };
}
