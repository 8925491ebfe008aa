/**
 * Removing what is old: broken uploads, unused blobs, keys, payloads past their retention.
 * @module
 */
import type { Logger } from "../../../shared/service/log.ts";
import type { Db } from "../../../shared/storage/db.ts";
import { forgetOldKeys } from "../../../shared/storage/idempotency.ts";
import { sweepBlobs } from "../store/blob.ts";
import { cleanUpResults } from "../store/expiry.ts";

export interface Retention {
  /** Days after which the payload of a completed result is removed; undefined keeps it. */
  days: number | undefined;
  /** Removes the input as well. */
  includeInput: boolean;
}

export interface TidyOptions {
  db: Db;
  retention: Retention;
  log: Logger;
  now: () => Date;
  /** How long an upload may stand still before it counts as broken off. */
  uploadMs: number;
}

/** A blob that was uploaded and never used is kept for so long. */
const UNUSED_BLOB_MS = 24 * 3_600_000;
const DAY_MS = 86_400_000;

export async function removeOld(
  { db, retention, log, now, uploadMs }: TidyOptions,
): Promise<void> {
  const uploads = await sweepBlobs(db, { now: now(), uploadMs, unusedMs: UNUSED_BLOB_MS });
  if (uploads > 0) log.info("Removed blobs that nobody came for", { blobs: uploads });
  await forgetOldKeys(db);
  if (retention.days === undefined) return;
  const before = new Date(now().getTime() - retention.days * DAY_MS);
  const cleaned = await cleanUpResults(db, { before, now: now(), ...retention });
  if (cleaned > 0) log.info("Removed payloads past their retention", { results: cleaned });
}
