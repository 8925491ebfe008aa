/**
 * The settings with which a hub was started, as its data folder and a backup hold them.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { type Settings, SETTINGS_FILE } from "../settings.ts";

export const settingsSchema = z.record(z.string(), z.string());

/** The settings with which the hub in a data folder was last started; `undefined` when none are. */
export async function readSettings(folder: string): Promise<Settings | undefined> {
  try {
    return settingsSchema.parse(JSON.parse(await Deno.readTextFile(join(folder, SETTINGS_FILE))));
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
