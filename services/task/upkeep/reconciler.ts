/**
 * The rounds that keep the promises of the table: work that the stream has lost is dispatched
 * again, nodes are told again to stop, deadlines are kept, and what nobody needs any more is
 * removed.
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
import type { DispatchStreams } from "../dispatch/streams.ts";
import { endExpired } from "./deadlines.ts";
import { dispatchLost } from "./lost_dispatches.ts";
import { removeOld, type Retention } from "./tidy.ts";

export interface ReconcilerOptions {
  db: Db;
  outbox: Outbox;
  streams: DispatchStreams;
  kills: Kills;
  retention: Retention;
  log: Logger;
  now: () => Date;
  everyMs?: number;
  /** How long a dispatch may be on its way before it is looked for. */
  settleMs?: number;
  /** How long an upload may stand still before it counts as broken off. */
  uploadMs?: number;
}

/** How often what is old is removed. */
const TIDY_EVERY_MS = 60_000;

export interface Reconciler {
  /** Dispatches again what the stream has lost; returns how many results. */
  reconcile(): Promise<number>;
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
    settleMs = 15_000,
    uploadMs = 10 * 60_000,
    ...options
  }: ReconcilerOptions,
): Reconciler {
  const { kills, log } = options;
  const reconcile = () => dispatchLost({ ...options, settleMs });
  const expire = () => endExpired(options);
  const tidy = () => removeOld({ ...options, uploadMs });
  const stopping = new AbortController();
  const { signal } = stopping;
  let tidiedAt = 0;
  let failing = false;

  async function round(): Promise<void> {
    const steps: (() => Promise<unknown>)[] = [reconcile, expire, kills.repeat];
    if (performance.now() - tidiedAt > TIDY_EVERY_MS) {
      tidiedAt = performance.now();
      steps.push(tidy);
    }
    let failure: unknown;
    // One step that fails must not hold up the others.
    for (const step of steps) await step().catch((error: unknown) => failure = error);
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
    reconcile,
    expire,
    tidy,
    async stop() {
      stopping.abort();
      await rounds;
    },
  };
}
