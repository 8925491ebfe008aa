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
  let tidiedAt = 0;
  let failing = false;

  async function round(): Promise<void> {
    const steps: (() => Promise<unknown>)[] = [wakeUps.repeat, expire, kills.repeat];
    if (performance.now() - tidiedAt > TIDY_EVERY_MS) {
      tidiedAt = performance.now();
      steps.push(tidy);
    }
    let failure: unknown;
    // One step that fails, or has very much to do, must not hold up the others.
    await Promise.all(
      steps.map((step) => step().catch((error: unknown) => failure = error)),
    );
    if (failure && !failing) {
      log.warn("Cannot reconcile now; will try again", { reason: messageOf(failure) });
    }
    failing = failure !== undefined;
  }

  async function makeRounds(): Promise<void> {
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { signal }).catch(() => {}); // rejects at the end only
      if (!signal.aborted) await round();
    }
  }

  const rounds = makeRounds();
  return {
    expire,
    tidy,
    async stop() {
      stopping.abort();
      await rounds;
    },
  };
}
