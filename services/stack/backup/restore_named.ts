/**
 * Restoring a backup into a deployment that the environment names: a database server that goes on,
 * and folders that cannot be moved, because they are volumes.
 * @module
 */
import { DATABASE, type RolePasswords } from "../names.ts";
import { join } from "node:path";
import { silentLogger } from "../../../shared/service/log.ts";
import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import { type Db, openDatabase } from "../../../shared/storage/db.ts";
import { keepSecret, newSecret, writeSecret } from "../deployment.ts";
import { type NamedDeployment, setUpNamed } from "../named_deployment.ts";
import { fillDatabase } from "./fill.ts";
import { KEYS } from "./manifest.ts";
import { findDumpPrograms } from "./postgres_programs.ts";
import type { RestoreOptions } from "./restore_folder.ts";

const DRAFT = `${DATABASE}_restoring`;

export async function restoreNamed(
  deployment: NamedDeployment,
  { backup, replace, say, now = () => new Date() }: RestoreOptions,
): Promise<void> {
  const { folder, adminUrl, brokers } = deployment;
  const programs = findDumpPrograms(undefined);
  const options = { schema: "pg_catalog", log: silentLogger, max: 1 };
  const admin = openDatabase(adminUrl("postgres"), options);
  try {
    const isThere = await requireStopped(admin);
    if (isThere && !replace) {
      throw new Error(
        `Cannot restore: the server has a database ${DATABASE} already. Restore elsewhere, or set ` +
          "it aside with --replace.",
      );
    }
    const passwords = {} as RolePasswords;
    for (const service of HUB_SERVICES) {
      passwords[service] = await keepSecret(join(folder, "database", service), newSecret);
    }
    await admin.unsafe(`drop database if exists ${DRAFT}`);
    try {
      await fillDatabase({ backup, programs, adminUrl, passwords, database: DRAFT, now });
    } catch (error) {
      await admin.unsafe(`drop database if exists ${DRAFT}`);
      throw error;
    }
    const tag = now().toISOString().replaceAll(/[^0-9TZ]/g, "");
    const aside = `${DATABASE}_before_restore_${tag.toLowerCase()}`;
    await admin.begin(async (tx) => {
      if (isThere) await tx.unsafe(`alter database ${DATABASE} rename to ${aside}`);
      await tx.unsafe(`alter database ${DRAFT} rename to ${DATABASE}`);
    });
    if (isThere) say(`The database that was there is ${aside} now`);
    const places = brokers.map(({ name = "nats" }) => name);
    await replaceKeys(folder, backup.keys, { places, aside: `before-restore-${tag}` });
    await setUpNamed(deployment);
  } finally {
    await admin.end({ timeout: 2 });
  }
}

/** Whether there is a hub's database. Throws when somebody is connected to it. */
async function requireStopped(admin: Db): Promise<boolean> {
  const others = await admin<{ name: string }[]>`
    select distinct coalesce(nullif(application_name, ''), usename) as name
    from pg_stat_activity where datname = ${DATABASE}`;
  if (others.length > 0) {
    throw new Error(
      `Cannot restore: ${others.map(({ name }) => name).join(", ")} work with the database. Stop ` +
        "the hub first, its broker too.",
    );
  }
  const rows = await admin`select from pg_database where datname = ${DATABASE}`;
  return rows.length > 0;
}

/**
 * Puts the keys into the services' folders; what is there is set aside, each in its folder, and in
 * those of the broker's servers.
 */
async function replaceKeys(
  folder: string,
  keys: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  { places, aside }: { places: string[]; aside: string },
): Promise<void> {
  const services = await Array.fromAsync(readFolder(join(folder, KEYS)), ({ name }) => KEYS + name);
  for (const place of [...services, ...places]) {
    const entries = await Array.fromAsync(readFolder(join(folder, place)));
    for (const { name } of entries) {
      if (name.startsWith("before-restore-")) continue;
      await Deno.mkdir(join(folder, place, aside), { recursive: true, mode: 0o700 });
      await Deno.rename(join(folder, place, name), join(folder, place, aside, name));
    }
  }
  for (const [name, content] of keys) {
    await writeSecret(join(folder, name), new TextDecoder().decode(content));
  }
}

async function* readFolder(path: string): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
