/**
 * `login`, `logout` and `hubs`.
 * @module
 */
import { UsageError } from "../../../shared/command_line/read_args.ts";
import { createClient } from "../client.ts";
import { ClientError } from "../errors.ts";
import { hubUrl } from "../transport.ts";
import { EXIT } from "./exit_codes.ts";
import { checkedName, type ConfigFolder, openConfigFolder } from "./folder.ts";
import { ask, askSecret, linesOfStdin } from "./prompt.ts";
import { printJson, printRows, say } from "./print.ts";
import { atHub, COMMON_HELP, readCommand } from "./session.ts";

export const LOGIN_HELP = `Logs in to a hub, and keeps the log-in for the other commands.

Usage: deno task client login [ADDRESS] [--username NAME] [options]

  ADDRESS           of the hub; that of the last time unless given
  --username NAME   asked for unless given here or in SEXTANT_USERNAME
  --stdin           password, and code if there is one, as two lines through standard input
  --hub NAME        what this hub is called from now on; its host name unless given
  --json            JSON in place of text

A password is never an argument, which others on the machine could see: it is asked for, or taken
from SEXTANT_PASSWORD or standard input; the code of a second factor likewise, from SEXTANT_CODE.
The log-in, not the password, is kept in the configuration folder of your account, readable by you
alone, until logout.

Examples:
  deno task client login https://hub.example
  deno task client login http://127.0.0.1:7601 --username alice --hub here
  pass show hub | deno task client login --username alice --stdin`;

interface Given {
  username: string;
  password: string;
  code: string | undefined;
}

export async function login(args: string[]): Promise<number> {
  const { values, positionals: [address] } = readCommand(args, {
    username: { type: "string" },
    stdin: { type: "boolean", default: false },
  }, { most: 1 });
  const folder = openConfigFolder();
  const { name, url } = await whichHub(folder, { address, hub: values.hub });
  const before = await folder.read(name);
  const lines = values.stdin ? await linesOfStdin() : [];
  const username = values.username ?? Deno.env.get("SEXTANT_USERNAME") ?? before?.username ??
    await ask("User name: ", { instead: "give --username" });
  const password = (values.stdin ? lines[0] : Deno.env.get("SEXTANT_PASSWORD")) ||
    await askSecret(`Password of ${username} at ${url}: `, {
      instead: "set SEXTANT_PASSWORD, or give --stdin",
    });
  const code = (values.stdin ? lines[1]?.trim() : undefined) || Deno.env.get("SEXTANT_CODE");
  await enter({ name, url, folder }, { username, password, code: code || undefined });
  await folder.setDefault(name);
  if (values.json) printJson({ hub: name, url, username });
  else say(`Logged in as ${username} at ${url}; this hub is called ${name} here.`);
  return EXIT.well;
}

/** Asks for what is missing, until somebody is in. */
async function enter(
  { name, url, folder }: { name: string; url: string; folder: ConfigFolder },
  given: Given,
): Promise<void> {
  const session = {
    load: () => Promise.resolve(undefined),
    save: async (tokens: { access_token: string; refresh_token: string } | undefined) =>
      await folder.write(name, { url, username: given.username, ...(tokens ? { tokens } : {}) }),
  };
  const client = createClient({ url, session });
  const instead = "set SEXTANT_CODE, or give it as the second line with --stdin";
  for (let { code } = given;;) {
    const { username, password } = given;
    const answer = await client.logIn({ username, password, code });
    if (answer.needs === undefined) return;
    if (code !== undefined) throw new ClientError(answer.msg);
    if (answer.needs === "set-up") {
      say(
        `${answer.msg}\nGive this to your authenticator app; it is shown this once:\n` +
          `  ${answer.qrUri}\n  secret: ${answer.secret}`,
      );
    }
    code = await ask("Code of your second factor: ", { instead });
  }
}

async function whichHub(
  folder: ConfigFolder,
  { address, hub }: { address: string | undefined; hub: string | undefined },
): Promise<{ name: string; url: string }> {
  if (address === undefined) {
    const name = hub ?? await folder.defaultName();
    const kept = name === undefined ? undefined : await folder.read(name);
    if (name === undefined || !kept) throw new UsageError("Which hub? Give its address");
    return { name, url: kept.url };
  }
  let url: string;
  try {
    url = hubUrl(address);
  } catch {
    throw new UsageError(`"${address}" is no address of a hub, such as https://hub.example`);
  }
  const name = checkedName(hub ?? new URL(url).host.replaceAll(/[^a-z0-9.-]/gi, "-"));
  const kept = await folder.read(name);
  if (kept && kept.url !== url) {
    throw new UsageError(
      `The hub ${name} is ${kept.url}, not ${url}; give this one another name with --hub`,
    );
  }
  return { name, url };
}

export const LOGOUT_HELP = `Ends the log-in, for all programs that share it.

Usage: deno task client logout [--hub NAME] [--json]

The hub's address and the public keys that were seen there are kept.

Examples:
  deno task client logout
  deno task client logout --hub here`;

export async function logout(args: string[]): Promise<number> {
  const { values } = readCommand(args, {});
  const { client, name } = await atHub(values);
  await client.logOut();
  if (values.json) printJson({ hub: name });
  else say(`Logged out at ${client.url}.`);
  return EXIT.well;
}

export const HUBS_HELP = `Lists the hubs that are known here, or chooses the one that is meant.

Usage: deno task client hubs [NAME] [--json]

  NAME         from now on this hub is meant where none is named
${COMMON_HELP}

Examples:
  deno task client hubs
  deno task client hubs here`;

export async function hubs(args: string[]): Promise<number> {
  const { values, positionals: [chosen] } = readCommand(args, {}, { most: 1 });
  const folder = openConfigFolder();
  if (chosen !== undefined) {
    if (!await folder.read(chosen)) throw new UsageError(`There is no hub called "${chosen}" here`);
    await folder.setDefault(chosen);
  }
  const meant = await folder.defaultName();
  const rows = await Promise.all((await folder.names()).map(async (name) => {
    const { url, username, tokens } = (await folder.read(name))!;
    return { name, url, username, logged_in: tokens !== undefined, meant: name === meant };
  }));
  printRows(rows, {
    json: values.json,
    none: "No hub is known here yet: deno task client login ADDRESS",
    shown: (row) => ({
      ...row,
      logged_in: row.logged_in ? "yes" : "",
      meant: row.meant ? "yes" : "",
    }),
  });
  return EXIT.well;
}
