/**
 * The files of a deployment that no set-up could make again: the broker's trust, the keys that sign
 * dispatches and seal secrets, and whatever else a service keeps in its folder.
 * @module
 */
import { databaseUrlFile, FILES } from "../names.ts";
import { join } from "node:path";
import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import { KEYS } from "./manifest.ts";

/** What a set-up makes anew from the rest, for the place where the hub is. */
const MADE_ANEW: readonly string[] = [
  FILES.enrolment,
  FILES.databaseUrl,
  FILES.dispatchPublicKeys,
  FILES.newAdministrator,
  ...HUB_SERVICES.map(databaseUrlFile),
];

/** The names of parts with their content, in the order of their names. */
export async function readKeys(deployment: string): Promise<Map<string, Uint8Array>> {
  const keys = new Map<string, Uint8Array>();
  for (const service of await namesIn(join(deployment, KEYS), "isDirectory")) {
    const folder = join(deployment, KEYS, service);
    for (const file of await namesIn(folder, "isFile")) {
      // Those with a dot in front are drafts of a file that is being written.
      if (MADE_ANEW.includes(file) || file.startsWith(".")) continue;
      keys.set(`${KEYS}${service}/${file}`, await Deno.readFile(join(folder, file)));
    }
  }
  requireKeys(keys);
  return keys;
}

/** Throws unless the keys without which no hub goes on are among these. */
export function requireKeys(keys: ReadonlyMap<string, Uint8Array>): void {
  const needed = [
    `identity/${FILES.brokerTrust}`,
    `identity/${FILES.secretsKey}`,
    `task/${FILES.dispatchKey}`,
  ];
  const missing = needed.find((name) => !keys.has(KEYS + name));
  if (missing) throw new Error(`Cannot find all of the hub's keys: ${KEYS}${missing} is missing`);
}

async function namesIn(folder: string, kind: "isDirectory" | "isFile"): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.filter((entry) => entry[kind]).map(({ name }) => name).sort();
}

/** Whether two readings are the same. */
export function areSame(
  one: ReadonlyMap<string, Uint8Array>,
  other: ReadonlyMap<string, Uint8Array>,
): boolean {
  return one.size === other.size && [...one].every(([name, content]) => {
    const same = other.get(name);
    return same?.length === content.length && content.every((byte, at) => byte === same[at]);
  });
}
