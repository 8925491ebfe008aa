/**
 * What an operator has chosen for a hub by the environment, as far as it is no secret: kept in the
 * data folder for backups, which say after a restore what is another now.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { HUB_SERVICES } from "../../shared/broker/subjects.ts";
import { INHERITS } from "./child_environment.ts";

const FILE = "settings.json";
export const settingsSchema = z.record(z.string(), z.string());
export type Settings = z.infer<typeof settingsSchema>;

const NAMES: readonly string[] = [
  ...[...HUB_SERVICES, "gateway" as const].flatMap((service) => INHERITS[service]),
  "SEXTANT_DOMAIN",
];

/** The hub's settings in an environment; no passwords. */
export function settingsIn(env: Record<string, string | undefined>): Settings {
  return Object.fromEntries(
    NAMES.filter((name) => env[name] && !name.includes("PASSWORD")).map((name) => [
      name,
      env[name]!,
    ]),
  );
}

/** Keeps the settings of the hub that starts in a data folder. */
export async function writeSettings(folder: string, settings: Settings): Promise<void> {
  const path = join(folder, FILE);
  await Deno.writeTextFile(path, JSON.stringify(settings, null, 2) + "\n", { mode: 0o600 });
}

/** The settings with which the hub in a data folder was last started; `undefined` when none are. */
export async function readSettings(folder: string): Promise<Settings | undefined> {
  try {
    return settingsSchema.parse(JSON.parse(await Deno.readTextFile(join(folder, FILE))));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A line for each setting that was another, or none, than it is now. */
export function differences(before: Settings, now: Settings): string[] {
  return Object.keys({ ...before, ...now }).sort().filter((name) => before[name] !== now[name]).map(
    (name) => `${name} was ${before[name] ?? "not set"} and is ${now[name] ?? "not set"}`,
  );
}
