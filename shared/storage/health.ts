/**
 * Whether a service is well: its database, and what it has to tell.
 * @module
 */
import { VERSION } from "../version.ts";
import { databaseAnswers, type Db } from "./db.ts";
import type { Outbox } from "./outbox.ts";

export interface OwnHealth {
  database: boolean;
  version: string;
  /** Why the service's outbox is ill; null when it is well. */
  outbox: string | null;
}

export async function ownHealth(
  { db, outbox }: { db: Db; outbox: Pick<Outbox, "trouble"> },
): Promise<OwnHealth> {
  const database = await databaseAnswers(db);
  // Without a database nobody knows.
  const trouble = database ? await outbox.trouble().catch(() => undefined) : undefined;
  return { database, version: VERSION, outbox: trouble ?? null };
}
