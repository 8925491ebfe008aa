/**
 * Looking at a backup as a whole, before anything is touched.
 * @module
 */
import { z } from "zod";
import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import { migrationNames } from "../../../shared/storage/db.ts";
import type { Settings } from "../settings.ts";
import { settingsSchema } from "./kept_settings.ts";
import { readArchive } from "./archive.ts";
import { decrypt, type Opener } from "./encryption.ts";
import { requireKeys } from "./keys.ts";
import { DUMP, KEYS, type Manifest, SETTINGS } from "./manifest.ts";

/** A backup that is whole, and that this version can restore. */
export interface CheckedBackup {
  manifest: Manifest;
  /** Files by their path below the folder of a deployment. */
  keys: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  settings: Settings;
  ports: Record<string, number> | undefined;
  /** Reads the dump of the database once more, and throws at its end when it is another by now. */
  readDump(take: (piece: Uint8Array) => Promise<void>): Promise<void>;
}

/** Reads the backup in a file to its end. Throws what is wrong with it. */
export async function checkBackup(path: string, opener: Opener): Promise<CheckedBackup> {
  const open = async () => await decrypt((await Deno.open(path)).readable, opener);
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  let pieces = 0;
  const manifest = await readArchive(await open(), (name, content) => {
    if (name === `${DUMP}${String(pieces + 1).padStart(6, "0")}`) pieces++;
    else if (name.startsWith(KEYS) || name.startsWith(SETTINGS)) files.set(name, content);
    else throw new Error(`${name} is nothing that this version knows`);
  });
  if (pieces === 0) throw new Error("Cannot use the backup: there is no database in it");
  await requireKnownMigrations(manifest);
  const keys = new Map([...files].filter(([name]) => name.startsWith(KEYS)));
  requireKeys(keys);

  function json<Schema extends z.ZodType>(
    name: string,
    schema: Schema,
  ): z.infer<Schema> | undefined {
    const content = files.get(`${SETTINGS}${name}`);
    return content && schema.parse(JSON.parse(new TextDecoder().decode(content)));
  }

  return {
    manifest,
    keys,
    settings: json("environment.json", settingsSchema) ?? {},
    ports: json("ports.json", z.record(z.string(), z.number().int())),
    async readDump(take) {
      await readArchive(await open(), async (name, content) => {
        if (name.startsWith(DUMP)) await take(content);
      });
    },
  };
}

/** Tables of a later version would be read by services that do not know them. */
async function requireKnownMigrations({ migrations, sextant }: Manifest): Promise<void> {
  for (const service of HUB_SERVICES) {
    const known = await migrationNames(new URL(`../../${service}/schema/`, import.meta.url));
    const unknown = migrations[service].find((name) => !known.includes(name));
    if (unknown === undefined) continue;
    throw new Error(
      `Cannot use the backup: the database of ${service} has seen the migration ${unknown}, which ` +
        `this version does not have. It was made by a later one (${sextant}): restore it with that.`,
    );
  }
}
