/**
 * What an operator has chosen for a hub by the environment, as far as it is no secret: kept in the
 * data folder for backups, which say after a restore what is another now.
 * @module
 */
import { join } from "node:path";
import { HUB_SERVICES } from "../../shared/broker/subjects.ts";
import { INHERITS } from "./child_environment.ts";

export const SETTINGS_FILE = "settings.json";
export type Settings = Record<string, string>;

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
  const path = join(folder, SETTINGS_FILE);
  await Deno.writeTextFile(path, JSON.stringify(settings, null, 2) + "\n", { mode: 0o600 });
}
