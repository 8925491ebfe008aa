/**
 * Checkpoints of the hub's audit record: task signs those of all services, because it has the key
 * that nodes remember. Which tree a service has, it says itself.
 * @module
 */
import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import type { Ask } from "../../../shared/messages/questions.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Db } from "../../../shared/storage/db.ts";
import { newestHead, type StoredHead } from "../../../shared/storage/audit_tree.ts";
import { originOf, writeCheckpoint } from "../../../shared/transparency/checkpoint.ts";

export interface Checkpoints {
  /** Those of the last time that they were asked for. */
  readonly newest: readonly string[];
  /**
   * Asks each service now, and signs. A service that cannot be asked has none, and its last one
   * stays among `newest`.
   */
  ask(): Promise<string[]>;
}

export interface CheckpointsOptions {
  db: Db;
  ask: Ask;
  /** The seed that signs what is dispatched. */
  dispatchKey: string;
  /** The public key of the broker's account: it names this installation. */
  account: string;
  log: Logger;
}

/** A seal comes every minute at most. */
export const CHECKPOINTS_EVERY_MS = 60_000;

export function createCheckpoints(
  { db, ask, dispatchKey, account, log }: CheckpointsOptions,
): Checkpoints {
  const newest = new Map<string, string>();

  async function headOf(service: typeof HUB_SERVICES[number]): Promise<StoredHead | undefined> {
    if (service === "task") return await newestHead(db);
    return (await ask(service, "audit_tree", {})).head ?? undefined;
  }

  return {
    get newest() {
      return [...newest.values()];
    },
    async ask() {
      const found = await Promise.all(HUB_SERVICES.map(async (service) => {
        const head = await headOf(service).catch((error) => {
          log.warn("Cannot sign a checkpoint of the audit record now", {
            service,
            reason: messageOf(error),
          });
        });
        if (!head) return [];
        const origin = originOf(account, service);
        const { size, root, sealed_at: sealedAt } = head;
        const note = writeCheckpoint(
          { origin, size, root: Uint8Array.fromBase64(root), sealedAt },
          dispatchKey,
        );
        newest.set(service, note);
        return [note];
      }));
      return found.flat();
    },
  };
}
