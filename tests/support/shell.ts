/**
 * The operator's shell for tests: as a program with arguments, and as a prompt in a
 * pseudo-terminal.
 * @module
 */
import { fileURLToPath } from "node:url";
import { seedCatalogue } from "../../services/identity/store/catalogue.ts";
import { migrate, openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { HUB_SERVICES, type HubService } from "../../shared/broker/subjects.ts";
import type { TestPostgres } from "./postgres.ts";
import { temporaryFolder, waitFor } from "../harness.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = "services/shell/main.ts";

/** Makes the tables of all services, and the rules and roles, as the services do at their start. */
export async function prepareDatabases(urls: Record<HubService, string>): Promise<void> {
  for (const service of HUB_SERVICES) {
    const db = openDatabase(urls[service], { schema: service, log: silentLogger, max: 1 });
    await migrate(db, new URL(`../../services/${service}/schema/`, import.meta.url), silentLogger);
    if (service === "identity") await seedCatalogue(db);
    await db.end();
  }
}

/** Databases as they are after the services' first start, and the environment that names them. */
export async function newShellHub(postgres: Pick<TestPostgres, "newDatabases">) {
  const urls = await postgres.newDatabases();
  await prepareDatabases(urls);
  return { urls, env: shellEnvironment(urls) };
}

/** The environment that names these databases to the shell, and no broker. */
export function shellEnvironment(urls: Record<HubService, string>): Record<string, string> {
  const { PATH = "", HOME = "", DENO_DIR } = Deno.env.toObject();
  return {
    PATH,
    HOME,
    ...(DENO_DIR ? { DENO_DIR } : {}),
    ...Object.fromEntries(
      HUB_SERVICES.map((one) => [`SEXTANT_${one.toUpperCase()}_DATABASE_URL`, urls[one]]),
    ),
  };
}

export interface ShellRun {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the shell without a prompt. */
export async function runShell(
  args: string[],
  { env, input }: { env: Record<string, string>; input?: string },
): Promise<ShellRun> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", MAIN, ...args],
    cwd: ROOT,
    env: { ...env, NO_COLOR: "1" },
    clearEnv: true,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

export interface Prompt {
  /** Types a line, waits for the next prompt and returns what was printed in between. */
  type(line: string, options?: { timeout?: number }): Promise<string>;
  /** Sends keys without waiting: `\x03` is Ctrl-C, `\x04` Ctrl-D, `\t` Tab. */
  keys(text: string): Promise<void>;
  /** All that was printed so far, without control sequences. */
  screen(): string;
  /** Waits until the screen, from what was last typed on, holds this. */
  shows(text: string | RegExp): Promise<void>;
  /** The exit code, once it has ended. */
  ended: Promise<number>;
  close(): Promise<void>;
}

const PROMPT = "sextant> ";
/** How long something is waited for that comes at once where nothing else runs. */
const PATIENCE_MS = 60_000;
// deno-lint-ignore no-control-regex -- what a terminal obeys is not what it shows
const CONTROL_SEQUENCE = /\x1b\[[0-9;?]*[A-Za-z]/g;

/**
 * The screen without control sequences; `\r` alone, with which a terminal wraps a long line, is
 * dropped.
 */
function plain(output: string): string {
  return output.replace(CONTROL_SEQUENCE, "").replaceAll("\r\n", "\n").replaceAll("\r", "");
}

export interface OpenPromptOptions {
  env: Record<string, string>;
  args?: string[];
  columns?: number;
  /** What starts the program in the terminal, such as {@linkcode AS_NOBODY}. */
  through?: string[];
  /** What opens the terminal, which is then that account's. */
  terminalThrough?: string[];
}

/** Starts the shell in a pseudo-terminal, and waits for its prompt. */
export async function openPrompt(
  { env, args = [], columns = 120, through = [], terminalThrough = [] }: OpenPromptOptions,
): Promise<Prompt> {
  const program = [...through, Deno.execPath(), "run", "--quiet", "-A", MAIN, ...args];
  const command = `stty cols ${columns} rows 50; exec ${
    program.map((one) => `'${one}'`).join(" ")
  }`;
  const [opener = "script", ...openerArgs] = [...terminalThrough, "script"];
  const child = new Deno.Command(opener, {
    args: [...openerArgs, "--quiet", "--flush", "--return", "--command", command, "/dev/null"],
    cwd: ROOT,
    env: { ...env, TERM: "xterm" },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let output = "";
  let from = 0;
  const reading = (async () => {
    for await (const chunk of child.stdout) output += decoder.decode(chunk, { stream: true });
  })();
  const since = () => plain(output.slice(from));
  const atPrompt = () => since().endsWith(PROMPT) && since().includes("\n");
  await waitFor(atPrompt, { timeout: PATIENCE_MS, what: "the first prompt" }).catch((error) => {
    throw new Error(`${error.message}; the screen: ${plain(output)}`);
  });

  async function keys(text: string): Promise<void> {
    from = output.length;
    await writer.write(encoder.encode(text));
  }
  return {
    keys,
    screen: () => plain(output),
    async type(line, { timeout = PATIENCE_MS } = {}) {
      await keys(`${line}\r`);
      await waitFor(atPrompt, { timeout, what: `the prompt after ${line}` }).catch((error) => {
        throw new Error(`${error.message}; the screen: ${since()}`);
      });
      const lines = since().split("\n");
      // The first lines are the echo of what was typed.
      const echoed = line.split("\r").length;
      return lines.slice(echoed, -1).join("\n");
    },
    async shows(text) {
      const there = () => typeof text === "string" ? since().includes(text) : text.test(since());
      await waitFor(there, { timeout: PATIENCE_MS, what: String(text) }).catch((error) => {
        throw new Error(`${error.message}; the screen: ${since()}`);
      });
    },
    ended: child.status.then(({ code }) => code),
    async close() {
      // Ctrl-D leaves only where the line is empty.
      await keys("\x03\x04").catch(() => {});
      const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await child.status;
      clearTimeout(late);
      await writer.close().catch(() => {});
      await reading;
    },
  };
}

/** Opens the shell at a prompt, with a data folder of its own, and closes it after the work. */
export async function withPrompt(
  options: OpenPromptOptions,
  work: (prompt: Prompt) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  const prompt = await openPrompt({ args: ["--data", folder.path], ...options });
  try {
    await work(prompt);
  } finally {
    await prompt.close();
    await folder.remove();
  }
}

/** A table's line that holds all of these, in this order. */
export function row(...cells: (string | number)[]): RegExp {
  const escaped = cells.map((cell) => String(cell).replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`│ ${escaped.join(" +│([^\\n]*│)? ")} `);
}

/** Starts a program in another account, which may read what the tests' own can. */
export const AS_NOBODY = [
  ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"],
  ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"],
].flat();

export function canBeNobody(): boolean {
  const [program, ...args] = AS_NOBODY;
  return Deno.uid() === 0 &&
    new Deno.Command(program!, { args: [...args, "true"] }).outputSync().success;
}

/** Deno's packages where every account finds them, not only the tests' own; for `DENO_DIR`. */
export async function packagesForAll(folder: string): Promise<string> {
  const info = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(info.stdout));
  const copy = async (...how: string[]) => {
    const args = ["--recursive", ...how, `${npmCache}/.`, `${folder}/npm`];
    return (await new Deno.Command("cp", { args, stderr: "null" }).output()).success;
  };
  // Links, where both are in one file system.
  if (!await copy("--link") && !await copy("--force")) {
    throw new Error(`Cannot copy ${npmCache} to ${folder}`);
  }
  return folder;
}
