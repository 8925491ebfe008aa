/**
 * What the command line keeps between calls, readable by its user alone: for each hub by its name
 * the address, the log-in and the public keys that were seen; and which hub is meant where none is
 * named.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "../../../shared/command_line/read_args.ts";
import { createTurns } from "../../../shared/service/turns.ts";
import { ClientError } from "../errors.ts";
import type { KeyStore } from "../keys/seen_keys.ts";
import type { SessionStore } from "../session.ts";

/** A hub as it is kept. */
const hubSchema = z.object({
  url: z.string(),
  username: z.string(),
  tokens: z.object({ access_token: z.string(), refresh_token: z.string() }).optional(),
});
export type KeptHub = z.infer<typeof hubSchema>;
const keysSchema = z.record(z.string(), z.string());

export interface ConfigFolder {
  path: string;
  /** The names of the hubs that are known. */
  names(): Promise<string[]>;
  /** The one that is meant where none is named; `undefined` where none is known. */
  defaultName(): Promise<string | undefined>;
  setDefault(name: string): Promise<void>;
  read(name: string): Promise<KeptHub | undefined>;
  write(name: string, hub: KeptHub): Promise<void>;
  sessionOf(name: string): SessionStore;
  keysOf(name: string): KeyStore;
}

/** `SEXTANT_CLIENT_FOLDER`, else where the platform has users' configuration. */
export function configFolderPath(env: Pick<typeof Deno.env, "get"> = Deno.env): string {
  const own = env.get("SEXTANT_CLIENT_FOLDER");
  if (own) return own;
  const base = env.get("XDG_CONFIG_HOME") || env.get("APPDATA") ||
    (env.get("HOME") ? join(env.get("HOME")!, ".config") : undefined);
  if (!base) {
    throw new UsageError(
      "Cannot keep the log-in: neither HOME nor SEXTANT_CLIENT_FOLDER says where",
    );
  }
  return join(base, "sextant", "client");
}

export function openConfigFolder(path = configFolderPath()): ConfigFolder {
  const hubs = join(path, "hubs");
  const file = (name: string) => join(hubs, `${checkedName(name)}.json`);
  const keysFile = (name: string) => join(path, "keys", `${checkedName(name)}.json`);
  const defaultFile = join(path, "default");
  const inTurn = createTurns(1);

  async function read(name: string): Promise<KeptHub | undefined> {
    return await readJson(file(name), hubSchema);
  }

  async function write(name: string, hub: KeptHub): Promise<void> {
    await writeJson(file(name), hub);
  }

  async function names(): Promise<string[]> {
    try {
      const entries = await Array.fromAsync(Deno.readDir(hubs));
      return entries.filter(({ name }) => name.endsWith(".json"))
        .map(({ name }) => name.slice(0, -".json".length)).sort();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  return {
    path,
    names,
    read,
    write,
    async defaultName() {
      const chosen = await readText(defaultFile);
      if (chosen !== undefined) return chosen.trim();
      const all = await names();
      return all.length === 1 ? all[0] : undefined;
    },
    setDefault: (name) => writePrivate(defaultFile, `${checkedName(name)}\n`),
    sessionOf: (name) => ({
      load: async () => (await read(name))?.tokens,
      async save(tokens) {
        const { tokens: _, ...hub } = (await read(name))!;
        await write(name, tokens ? { ...hub, tokens } : hub);
      },
    }),
    keysOf: (name) => ({
      get: async (id) => (await readJson(keysFile(name), keysSchema))?.[id],
      set: (id, fingerprint) =>
        inTurn(async () => {
          const seen = await readJson(keysFile(name), keysSchema) ?? {};
          await writeJson(keysFile(name), { ...seen, [id]: fingerprint });
        }),
    }),
  };
}

/** The name of a hub is that of a file. */
export function checkedName(name: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,62}$/i.test(name)) return name;
  throw new UsageError(`--hub must be letters, digits, dots and dashes, not "${name}"`);
}

async function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema> | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ClientError(`Cannot read ${path}: it is damaged. Mend it, or move it away.`, {
      cause,
    });
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writePrivate(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** In one step, so that who reads it meanwhile reads the one or the other. */
async function writePrivate(path: string, text: string): Promise<void> {
  const folder = join(path, "..");
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = await Deno.makeTempFile({ dir: folder, prefix: ".new-" });
  try {
    await Deno.chmod(draft, 0o600);
    await Deno.writeTextFile(draft, text);
    await Deno.rename(draft, path);
  } catch (error) {
    await Deno.remove(draft).catch(() => {});
    throw error;
  }
}
