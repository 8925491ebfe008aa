/**
 * Bringing a backup's database into a server.
 * @module
 */
import { type RolePasswords } from "../names.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { openDatabase } from "../../../shared/storage/db.ts";
import { thisOperator } from "../../../shared/command_line/operator.ts";
import { setUpDatabase } from "../database.ts";
import type { CheckedBackup } from "./check.ts";
import { restoreDump } from "./postgres_programs.ts";
import { settle } from "./settle.ts";

export interface FillOptions {
  backup: CheckedBackup;
  /** The folder with `pg_restore`. */
  programs: string;
  adminUrl: (database: string) => string;
  passwords: RolePasswords;
  /** Its name; it is not there yet. */
  database: string;
  now: () => Date;
}

/** Makes a database, restores the backup into it, and settles what comes of that. */
export async function fillDatabase(
  { backup, programs, adminUrl, passwords, database, now }: FillOptions,
): Promise<void> {
  try {
    await setUpDatabase({ adminUrl, passwords, database });
    const url = adminUrl(database);
    await restoreDump(programs, url, backup.readDump);
    const open = (schema: string) => openDatabase(url, { schema, log: silentLogger, max: 1 });
    await settle({ open, manifest: backup.manifest, operator: thisOperator(), at: now() });
  } catch (cause) {
    throw new Error(`Cannot restore the database: ${messageOf(cause)}`, { cause });
  }
}
