/**
 * Making a backup, while the hub runs: all that would be missed of it, in one file.
 *
 * The database is dumped as it is at one moment. What JetStream keeps is not part of it: it carries
 * events on their way, and costs time when it is gone, never work.
 * @module
 */
import { DATABASE } from "../names.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { openDatabase } from "../../../shared/storage/db.ts";
import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import { VERSION } from "../../../shared/version.ts";
import { type ArchiveWriter, createArchive } from "./archive.ts";
import { encrypt, type Lock } from "./encryption.ts";
import { areSame, readKeys } from "./keys.ts";
import { DUMP, type Manifest, SETTINGS } from "./manifest.ts";
import type { OpenHub } from "./place.ts";
import { type Dump, dumpDatabase } from "./postgres_programs.ts";

export interface BackupOptions {
  hub: OpenHub;
  /** Without one anybody who has the file has the hub's keys. */
  lock?: Lock | undefined;
  /** Where it goes. */
  sink: WritableStream<Uint8Array>;
  now?: () => Date;
}

/** Pieces of the dump are so long, but for the last. */
const PIECE = 8 * 2 ** 20;

/** Writes a backup to `sink`, which is closed when all of it is there, and aborted otherwise. */
export async function makeBackup(
  { hub, lock, sink, now = () => new Date() }: BackupOptions,
): Promise<Manifest> {
  const archive = createArchive(now);
  const content = lock ? await encrypt(archive.content, lock) : archive.content;
  const [manifest] = await Promise.all([fill(archive, hub, now), content.pipeTo(sink)]);
  return manifest;
}

async function fill(archive: ArchiveWriter, hub: OpenHub, now: () => Date): Promise<Manifest> {
  try {
    const about = { sextant: VERSION, made_at: now().toISOString(), ...await lookAt(hub) };
    const keys = await readKeys(hub.folder);
    await addDump(archive, dumpDatabase(hub.programs, hub.adminUrl(DATABASE)));
    if (!areSame(keys, await readKeys(hub.folder))) {
      throw new Error("Cannot back up: the hub's keys were changed meanwhile. Begin again.");
    }
    for (const [name, bytes] of keys) await archive.add(name, bytes);
    const settings = { "environment.json": JSON.stringify(hub.settings), "ports.json": hub.ports };
    for (const [name, text] of Object.entries(settings)) {
      if (text !== undefined) await archive.add(SETTINGS + name, new TextEncoder().encode(text));
    }
    return await archive.finish(about);
  } catch (error) {
    archive.fail(error);
    throw error;
  }
}

async function addDump(archive: ArchiveWriter, { content, ended }: Dump): Promise<void> {
  let number = 0;
  let piece = new Uint8Array(PIECE);
  let filled = 0;
  async function addPiece() {
    await archive.add(`${DUMP}${String(++number).padStart(6, "0")}`, piece.subarray(0, filled));
    // The one before may be on its way still.
    piece = new Uint8Array(PIECE);
    filled = 0;
  }
  for await (let bytes of content) {
    while (bytes.length > 0) {
      const taken = Math.min(bytes.length, PIECE - filled);
      piece.set(bytes.subarray(0, taken), filled);
      filled += taken;
      bytes = bytes.subarray(taken);
      if (filled === PIECE) await addPiece();
    }
  }
  await ended.catch((cause) => {
    throw new Error(`Cannot back up the database: ${messageOf(cause)}`, { cause });
  });
  if (filled > 0) await addPiece();
}

/** What the manifest says of the database. Throws when the services have made no tables yet. */
async function lookAt({ adminUrl }: OpenHub): Promise<Pick<Manifest, "postgres" | "migrations">> {
  const db = openDatabase(adminUrl(DATABASE), { schema: "pg_catalog", log: silentLogger, max: 1 });
  try {
    const [row] = await db<{ postgres: string }[]>`
      select current_setting('server_version') as postgres`;
    const migrations = {} as Manifest["migrations"];
    for (const service of HUB_SERVICES) {
      const rows = await db<{ name: string }[]>`
        select name from ${db(`${service}.migration`)} order by number`;
      migrations[service] = rows.map(({ name }) => name);
    }
    return { postgres: row!.postgres, migrations };
  } catch (cause) {
    throw new Error(`Cannot back up the database: ${messageOf(cause)}`, { cause });
  } finally {
    await db.end({ timeout: 2 });
  }
}
