/**
 * `deno task backup` and `deno task restore`.
 * @module
 */
import { join } from "node:path";
import { readArgs, typedPath, UsageError } from "../../../shared/command_line/read_args.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { usualDataFolder } from "../account.ts";
import { namedDeployment } from "../named_deployment.ts";
import { ROOT } from "../service_part.ts";
import { settingsIn } from "../settings.ts";
import { differences } from "./kept_settings.ts";
import { makeBackup } from "./backup.ts";
import { checkBackup } from "./check.ts";
import type { Manifest } from "./manifest.ts";
import { openDataFolder, openNamed } from "./place.ts";
import { restoreFolder } from "./restore_folder.ts";
import { restoreNamed } from "./restore_named.ts";
import { newFile } from "./sink.ts";

const CHECKOUT_DATA = join(ROOT, ".sextant");

const WHICH_HUB =
  `The hub is that of deno task up, running or not, or the one that the environment names, as in compose.yaml:
SEXTANT_POSTGRES_URL (of the server's administrator: postgres://postgres:…@host:5432) with SEXTANT_SETUP_FOLDER.`;

const HELP = {
  backup: `deno task backup --to FILE [--data DIR] [--recipient KEY... | --passphrase-file FILE]

Writes all that would be missed of a hub into one file, while it runs: the database as it is at one moment,
the keys, the settings. Who has the file has the keys, unless it is encrypted. The file must not be there yet.

  --to FILE                where to; - is the standard output
  --data DIR               data folder of deno task up; ${CHECKOUT_DATA} unless given
  --recipient KEY...       encrypts it for the holder of an age key (age1…); it can be read with age, too
  --passphrase-file FILE   encrypts it with the passphrase in a file
  --help                   this text

${WHICH_HUB}`,
  restore:
    `deno task restore --from FILE [--data DIR] [--replace] [--identity-file FILE | --passphrase-file FILE]

Reads a backup wholly, and only then makes a hub of it. The hub must not run. Nodes go on with it when it is
where they look for it; users log in anew.

  --from FILE              the backup
  --check                  only says whether it is whole and can be restored
  --data DIR               data folder for deno task up; ${CHECKOUT_DATA} unless given
  --replace                sets a hub aside that is there already; it is not deleted
  --identity-file FILE     the secret age key (AGE-SECRET-KEY-1…) of one whom it was encrypted for
  --passphrase-file FILE   the passphrase that it was encrypted with
  --help                   this text

${WHICH_HUB}`,
};

const say = (line: string) => console.error(line);

async function backup(args: string[]): Promise<void> {
  const { values } = readArgs({
    args,
    options: {
      to: { type: "string" },
      data: { type: "string" },
      recipient: { type: "string", multiple: true, default: [] },
      "passphrase-file": { type: "string" },
    },
  });
  if (values.to === undefined) throw new UsageError("--to FILE is missing");
  const recipients = values.recipient;
  const passphrase = await secretIn(values["passphrase-file"]);
  if (recipients.length > 0 && passphrase !== undefined) {
    throw new UsageError("Give either --recipient or --passphrase-file");
  }
  const lock = recipients.length > 0 || passphrase !== undefined
    ? { recipients, passphrase }
    : undefined;
  const sink = values.to === "-" ? Deno.stdout.writable : await newFile(typedPath(values.to));
  let hub;
  try {
    const named = namedDeployment();
    hub = named ? openNamed(named) : await openDataFolder(dataFolder(values.data));
  } catch (error) {
    await sink.abort(error);
    throw error;
  }
  try {
    say(describe(await makeBackup({ hub, lock, sink })));
  } finally {
    await hub.close();
  }
  if (!lock) {
    say("It is not encrypted: it holds every key of the hub, and must be kept like those.");
  }
}

async function restore(args: string[]): Promise<void> {
  const { values } = readArgs({
    args,
    options: {
      from: { type: "string" },
      check: { type: "boolean", default: false },
      data: { type: "string" },
      replace: { type: "boolean", default: false },
      "identity-file": { type: "string" },
      "passphrase-file": { type: "string" },
    },
  });
  if (values.from === undefined) throw new UsageError("--from FILE is missing");
  const backup = await checkBackup(typedPath(values.from), {
    identities: await identitiesIn(values["identity-file"]),
    passphrase: await secretIn(values["passphrase-file"]),
  });
  say(describe(backup.manifest));
  if (values.check) return;
  const named = namedDeployment();
  const folder = dataFolder(values.data);
  const options = { backup, replace: values.replace, say };
  if (named) await restoreNamed(named, options);
  else await restoreFolder(folder, options);
  for (const line of differences(backup.settings, settingsIn(Deno.env.toObject()))) say(line);
  say(named ? "Restored. Start the hub." : `Restored. Start it: deno task up --data ${folder}`);
}

const dataFolder = (given: string | undefined) =>
  given === undefined ? usualDataFolder(CHECKOUT_DATA) : typedPath(given);

function describe({ made_at, sextant, postgres, parts }: Manifest): string {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  return `Backup of ${made_at}: Sextant ${sextant}, PostgreSQL ${postgres}, ${parts.length} parts, ` +
    `${bytes} bytes, all with their SHA-256`;
}

async function secretIn(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : (await readGiven(file)).trim();
}

/** Secret keys as `age-keygen` writes them, with comments. */
async function identitiesIn(file: string | undefined): Promise<string[]> {
  if (file === undefined) return [];
  const lines = (await readGiven(file)).split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

async function readGiven(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(typedPath(file));
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${messageOf(error)}`);
  }
}

async function main([command, ...args]: string[]): Promise<number> {
  if (command !== "backup" && command !== "restore") {
    console.log(`${HELP.backup}\n\n${HELP.restore}`);
    return command === "--help" ? 0 : 2;
  }
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP[command]);
    return 0;
  }
  try {
    await (command === "backup" ? backup(args) : restore(args));
    return 0;
  } catch (error) {
    console.error(messageOf(error));
    if (!(error instanceof UsageError)) return 1;
    console.error(`See: deno task ${command} --help`);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
