/**
 * What every command begins with: which hub, who is logged in there, and the organization's key.
 * @module
 */
import type { ParseArgsConfig } from "node:util";
import { readArgs, typedPath, UsageError } from "../../../shared/command_line/read_args.ts";
import { type Client, createClient } from "../client.ts";
import { KeyError, LoggedOutError } from "../errors.ts";
import { type OrganizationKey, readOrganizationKey } from "../keys/organization_key.ts";
import { type ConfigFolder, openConfigFolder } from "./folder.ts";
import { say } from "./print.ts";

/** Options of all commands. */
export const COMMON = {
  hub: { type: "string" },
  json: { type: "boolean", default: false },
} as const satisfies ParseArgsConfig["options"];

export const COMMON_HELP =
  `  --hub NAME   one of several hubs that you are logged in to; the last log-in's unless given
  --json       JSON in place of text; of an error too: {"error": {"exit", "msg"}}
  --help       this text`;

export interface AtHub {
  client: Client;
  /** Of the hub, as it is kept. */
  name: string;
  username: string;
  folder: ConfigFolder;
}

/** The hub that is meant, by somebody who has logged in. */
export async function atHub(
  { hub }: { hub?: string | undefined },
  folder = openConfigFolder(),
): Promise<AtHub> {
  const name = hub ?? await folder.defaultName();
  const kept = name === undefined ? undefined : await folder.read(name);
  if (name === undefined || !kept?.tokens) {
    const known = await folder.names();
    const others = known.length > 0 ? ` Known hubs: ${known.join(", ")}.` : "";
    throw new LoggedOutError("log in", 401, {
      msg: `Nobody is logged in${
        hub ? ` at "${hub}"` : ""
      }: deno task client login ADDRESS.${others}`,
    });
  }
  const client = createClient({
    url: kept.url,
    session: folder.sessionOf(name),
    keys: folder.keysOf(name),
    onKeyChange: ({ message, organization, now }) =>
      say(
        `Warning: ${message}\nTo accept it: deno task client accept-key ${organization.id} ${now}`,
      ),
  });
  return { client, name, username: kept.username, folder };
}

/** The arguments of a command that takes `count` of them beside its options. */
export function readCommand<Options extends NonNullable<ParseArgsConfig["options"]>>(
  args: string[],
  options: Options,
  { least = 0, most = least, names = "" }: { least?: number; most?: number; names?: string } = {},
) {
  const read = readArgs({ args, allowPositionals: true, options: { ...COMMON, ...options } });
  const { length } = read.positionals;
  if (length < least) throw new UsageError(`It is missing what it is about: ${names}`);
  if (length > most) throw new UsageError(`"${read.positionals[most]}" is more than it takes`);
  return read;
}

export function idOf(text: string, what: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) > 0) return Number(text);
  throw new UsageError(`${what} must be a number, not "${text}"`);
}

export const KEY_HELP =
  `  --key FILE   in an encrypted collaboration: the private key of your organization (PEM), as your
               node has it; SEXTANT_KEY names it too`;

/** The organization's key, where one is named. It is read here, and sent nowhere. */
export async function keyOf(
  { key }: { key?: string | undefined },
): Promise<OrganizationKey | undefined> {
  const named = key ?? Deno.env.get("SEXTANT_KEY");
  if (!named) return undefined;
  const path = typedPath(named);
  let pem: string;
  try {
    const { mode } = await Deno.stat(path);
    if (mode !== null && (mode & 0o007) !== 0) {
      throw new KeyError(
        `Everybody on this machine can read or change ${path}; chmod 600 (or 640 for a group) ` +
          "mends that.",
      );
    }
    pem = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new UsageError(`There is no file ${path}`);
    throw error;
  }
  return await readOrganizationKey(pem);
}
