/**
 * Restoring a backup into the data folder of `deno task up`.
 *
 * All is made beside what is there, and moved into its place at the end. What was there before is
 * set aside. Until the last move is done `deno task up` does not start in the folder.
 * @module
 */
import { DATABASE, type RolePasswords } from "../names.ts";
import { dirname, join } from "node:path";
import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import {
  keepSecret,
  lockIfFree,
  newSecret,
  readPorts,
  unusableFolder,
  writePorts,
  writeSecret,
} from "../deployment.ts";
import { POSTGRES_ADMIN, startPostgres } from "../postgres.ts";
import { findPostgresBinaries } from "../postgres_binaries.ts";
import type { CheckedBackup } from "./check.ts";
import { fillDatabase } from "./fill.ts";
import { DRAFT } from "./half_restore.ts";
import { findDumpPrograms } from "./postgres_programs.ts";

export interface RestoreOptions {
  backup: CheckedBackup;
  /** Whether a hub that is there may be set aside. */
  replace: boolean;
  now?: () => Date;
  /** Told where the one before is now. */
  say: (line: string) => void;
}

/** What makes a hub; the rest of a data folder can stay. */
const PARTS = ["postgres", "services", "database", "nats"]
  // Of a cluster.
  .concat("databases", "etcd", "nats-2", "nats-3");

export async function restoreFolder(
  folder: string,
  { backup, replace, say, now = () => new Date() }: RestoreOptions,
): Promise<void> {
  const programs = findDumpPrograms(findPostgresBinaries());
  await Deno.mkdir(folder, { recursive: true, mode: 0o711 }).catch((error) => {
    throw unusableFolder(folder, error);
  });
  const lock = await lockIfFree(folder);
  if (!lock) throw new Error(`Cannot restore: the hub in ${folder} runs. Stop it first.`);
  try {
    const before = await Array.fromAsync(
      PARTS,
      async (name) => await exists(join(folder, name)) ? [name] : [],
    ).then((found) => found.flat());
    if (before.length > 0 && !replace) {
      throw new Error(
        `Cannot restore: there is a hub in ${folder} already. Choose another folder with --data, ` +
          "or set that one aside with --replace.",
      );
    }
    const draft = join(folder, DRAFT);
    await remove(draft);
    try {
      await fillDraft(draft, { backup, programs, now, cacheFolder: join(folder, "cache") });
    } catch (error) {
      await remove(draft);
      throw error;
    }
    const aside = join(folder, `before-restore-${now().toISOString().replaceAll(/[:.]/g, "-")}`);
    if (before.length > 0) {
      await move(before, folder, aside);
      say(`The hub that was there is in ${aside} now`);
    }
    await move(PARTS, draft, folder);
    const kept = await readPorts(folder);
    await writePorts(folder, { ...backup.ports, ...kept });
    await remove(draft);
  } finally {
    lock.release();
  }
}

async function fillDraft(
  draft: string,
  { backup, programs, now, cacheFolder }:
    & Pick<RestoreOptions, "backup">
    & Required<Pick<RestoreOptions, "now">>
    & { programs: string; cacheFolder: string },
): Promise<void> {
  await Deno.mkdir(draft, { mode: 0o711 });
  for (const [name, content] of backup.keys) {
    await writeSecret(join(draft, name), new TextDecoder().decode(content));
  }
  const secret = (name: string) => keepSecret(join(draft, "database", name), newSecret);
  const adminPassword = await secret(POSTGRES_ADMIN);
  const passwords = {} as RolePasswords;
  for (const service of HUB_SERVICES) passwords[service] = await secret(service);
  const postgres = join(draft, "postgres");
  const server = await startPostgres({ folder: postgres, cacheFolder, adminPassword });
  try {
    const adminUrl = (database: string) => server.url(POSTGRES_ADMIN, adminPassword, database);
    await fillDatabase({ backup, programs, adminUrl, passwords, database: DATABASE, now });
  } finally {
    await server.stop();
  }
}

/** Moves what there is of some entries from one folder into another, for good. */
async function move(names: string[], from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true, mode: 0o711 });
  for (const name of names) {
    if (await exists(join(from, name))) await Deno.rename(join(from, name), join(to, name));
  }
  for (const folder of new Set([from, to, dirname(to)])) {
    using handle = await Deno.open(folder);
    await handle.sync();
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function remove(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
