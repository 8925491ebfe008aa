/**
 * `deno task client` for tests: as a program, with a configuration folder of its own.
 * @module
 */
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = "services/client/command_line/main.ts";

export interface CommandRun {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** The configuration folder. */
  folder: string;
  env?: Record<string, string>;
  /** Through standard input, which is no terminal. */
  input?: string;
}

export function spawnCommand(args: string[], { folder, env = {}, input }: CommandOptions) {
  const { PATH = "", HOME = "", DENO_DIR } = Deno.env.toObject();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", MAIN, ...args],
    cwd: ROOT,
    clearEnv: true,
    env: {
      PATH,
      HOME,
      ...(DENO_DIR ? { DENO_DIR } : {}),
      NO_COLOR: "1",
      COLUMNS: "160",
      SEXTANT_CLIENT_FOLDER: folder,
      ...env,
    },
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return child;
}

export async function runCommand(args: string[], options: CommandOptions): Promise<CommandRun> {
  const child = spawnCommand(args, options);
  if (options.input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(options.input));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

export interface Running {
  /** All that it has said so far, on standard error. */
  said(): string;
  printed(): string;
  signal(signal: Deno.Signal): void;
  ended: Promise<number>;
}

/** Starts a command that goes on for a while. */
export function startCommand(args: string[], options: CommandOptions): Running {
  const child = spawnCommand(args, options);
  const texts = { stdout: "", stderr: "" };
  const reading = (["stdout", "stderr"] as const).map(async (name) => {
    const decoder = new TextDecoder();
    for await (const piece of child[name]) texts[name] += decoder.decode(piece, { stream: true });
  });
  return {
    said: () => texts.stderr,
    printed: () => texts.stdout,
    signal: (signal) => child.kill(signal),
    ended: (async () => {
      const { code } = await child.status;
      await Promise.all(reading);
      return code;
    })(),
  };
}
