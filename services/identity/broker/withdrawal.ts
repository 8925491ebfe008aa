/**
 * Withdrawing broker credentials of nodes, and dropping what is over from the broker's list.
 *
 * All that is asked for while the list is being changed goes into its next change: nobody waits for
 * more than two, however many nodes go at once. What is withdrawn stands in the database, too; both
 * are changed or neither is.
 * @module
 */
import type { BrokerConnection } from "../../../shared/broker/connection.ts";
import type { Trust } from "../../../shared/broker/trust.ts";
import { changeWithdrawals, MOST_WITHDRAWN } from "../../../shared/broker/withdrawals.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Db, Tx } from "../../../shared/storage/db.ts";
import { inBatches } from "../../../shared/storage/in_batches.ts";
import {
  forgetEndedKeys,
  forgetGoneNodes,
  type Gone,
  liveKeysOf,
  withdrawKeys,
  withdrawnKeys,
} from "../store/node_key.ts";

export interface Withdrawal {
  /**
   * Ends credentials, and closes their connections. Throws `unavailable` when the broker does not
   * answer, or its list is full: then some may have ended, and the same call again goes on.
   */
  withdraw(gone: Gone[]): Promise<void>;
  /** Forgets keys whose credentials have ended; puts right what the broker may have lost. */
  tidy(): Promise<void>;
}

export interface WithdrawalOptions {
  db: Db;
  trust: Trust;
  /** identity's connection to the broker's system account. */
  system: BrokerConnection;
  now: () => Date;
  /** Entries that the broker's list may have. */
  most?: number;
}

const DAY_MS = 86_400_000;

export function createWithdrawal(
  { db, trust, system, now, most = MOST_WITHDRAWN }: WithdrawalOptions,
): Withdrawal {
  /** Returns how many keys there was no room for. */
  async function change(tx: Tx, gone: Gone[]): Promise<number> {
    // The list is read and written: two replicas at once would lose what one of them has put there.
    await tx`select pg_advisory_xact_lock(hashtext('sextant.revocations'))`;
    const at = now();
    const over = new Set(await forgetEndedKeys(tx, at));
    await forgetGoneNodes(tx, new Date(at.getTime() - DAY_MS));
    let list = await withdrawnKeys(tx, at);
    const keys = gone.length > 0 ? await liveKeysOf(tx, gone, at) : [];
    // One that is in the list already, and was let in again since, takes no more room.
    const fresh = keys.filter((key) => !list.has(key)).slice(0, Math.max(0, most - list.size));
    const taken = [...fresh, ...keys.filter((key) => list.has(key))];
    if (taken.length > 0) {
      await withdrawKeys(tx, taken, at);
      list = await withdrawnKeys(tx, at);
    }
    const add = new Map([...list].map(([key, since]) => [key, Math.floor(since.getTime() / 1000)]));
    if (gone.length === 0 || taken.length > 0 || over.size > 0) {
      await changeWithdrawals(system, trust, { add, over });
    }
    return keys.length - taken.length;
  }

  const together = inBatches(async (all: Gone[][]) => {
    const left = await db.begin((tx) => change(tx, all.flat()));
    if (left === 0) return;
    throw new SextantError(
      "unavailable",
      `Cannot withdraw ${left} broker credentials of nodes: the broker's list of withdrawals is ` +
        "full. They are withdrawn when older ones have ended.",
    );
  });
  return {
    withdraw: (gone) => gone.length === 0 ? Promise.resolve() : together(gone),
    tidy: () => together([]),
  };
}
