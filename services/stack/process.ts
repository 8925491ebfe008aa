/**
 * One child process of the launcher: its output as lines, its end as a promise, its stop with a
 * deadline.
 * @module
 */
import { settlesIn } from "../../shared/service/settles_in.ts";
import { childEnvironment } from "./child_environment.ts";

export interface ProcessSpec {
  command: string;
  args?: string[];
  /** The whole environment of the child; nothing is inherited. */
  env: Record<string, string>;
  cwd?: string;
  /** Runs the child as this account; only root can. */
  account?: { uid: number; gid: number } | undefined;
  /** What asks the child to stop, and what it receives when the launcher itself is killed. */
  signals?: { stop: Deno.Signal; orphaned: Deno.Signal };
  /** Receives every line of both outputs. */
  onLine?: (line: string) => void;
}

export interface ManagedProcess {
  readonly pid: number;
  /** Resolves once the process is gone and its output has been read; never rejects. */
  readonly exited: Promise<Deno.CommandStatus>;
  /** The last lines it wrote, oldest first. */
  lastLines(): string[];
  /** Sends a signal; does nothing when the process is gone. */
  signal(signal: Deno.Signal): void;
  /**
   * Asks the process to stop and kills it after `deadlineMs`. Returns whether it went by itself.
   */
  stop(deadlineMs?: number): Promise<boolean>;
}

/** Everything this launcher started that has not ended. */
const alive = new Set<ManagedProcess>();

/** Kills all processes of this launcher: the last resort, when there is no time for order. */
export function killAll(): void {
  for (const process of alive) process.signal("SIGKILL");
}

const KEPT_LINES = 40;
const LONGEST_LINE = 64 * 1024;

/**
 * Starts a process in a session of its own, so that Ctrl-C in the terminal reaches the launcher
 * alone and the parts stop in the launcher's order. Where `setpriv` exists the kernel signals the
 * child when the launcher dies without having stopped it.
 */
export function startProcess(spec: ProcessSpec): ManagedProcess {
  const { stop, orphaned } = spec.signals ?? { stop: "SIGTERM", orphaned: "SIGKILL" };
  const setpriv = findProgram("setpriv");
  const guard = setpriv ? [setpriv, "--pdeathsig", orphaned.replace(/^SIG/, ""), "--"] : [];
  const [program, ...args] = [...guard, spec.command, ...spec.args ?? []];
  const child = new Deno.Command(program!, {
    args,
    env: spec.env,
    clearEnv: true,
    cwd: spec.cwd ?? "/",
    ...(spec.account ? { uid: spec.account.uid, gid: spec.account.gid } : {}),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();

  const last: string[] = [];
  function onLine(line: string) {
    last.push(line);
    if (last.length > KEPT_LINES) last.shift();
    spec.onLine?.(line);
  }
  const outputs = [readLines(child.stdout, onLine), readLines(child.stderr, onLine)];
  let gone = false;
  const status = child.status.finally(() => gone = true);
  const exited = status.then(async (result) => {
    // A grandchild may hold the pipes open for longer than the process lives.
    const read = await settlesIn(1000, Promise.all(outputs.map((output) => output.done)));
    if (!read) await Promise.all(outputs.map((output) => output.cancel()));
    return result;
  });

  function signal(name: Deno.Signal) {
    if (gone) return;
    try {
      child.kill(name);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  const process: ManagedProcess = {
    pid: child.pid,
    exited,
    lastLines: () => [...last],
    signal,
    async stop(deadlineMs = 10_000) {
      signal(stop);
      const inTime = await settlesIn(deadlineMs, status);
      if (!inTime) signal("SIGKILL");
      await exited;
      return inTime;
    },
  };
  alive.add(process);
  status.then(() => alive.delete(process));
  return process;
}

function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  async function read() {
    let rest = "";
    while (true) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop()!;
      lines.forEach(onLine);
      // A part that never ends its line must not fill the launcher's memory.
      if (rest.length > LONGEST_LINE) {
        onLine(rest);
        rest = "";
      }
    }
    if (rest) onLine(rest);
  }
  return { done: read(), cancel: () => reader.cancel() };
}

/** The path of a program on PATH, or `undefined`. */
export function findProgram(name: string, path = Deno.env.get("PATH") ?? ""): string | undefined {
  for (const folder of path.split(":")) {
    if (!folder.startsWith("/")) continue;
    if (isExecutable(`${folder}/${name}`)) return `${folder}/${name}`;
  }
  return undefined;
}

/** Whether a file is there that somebody may execute. */
export function isExecutable(path: string): boolean {
  try {
    const info = Deno.statSync(path);
    return info.isFile && ((info.mode ?? 0) & 0o111) !== 0;
  } catch {
    return false;
  }
}

/** Runs a program with its arguments, and waits for its end; `text` is the end of what it said. */
export type Run = (
  program: string,
  args: string[],
  cwd: string,
) => Promise<{ ok: boolean; text: string }>;

/** A program of PATH, or the one at a path, in English. */
export async function runProgram(program: string, args: string[], cwd: string) {
  const path = program.startsWith("/") ? program : findProgram(program);
  if (!path) return { ok: false, text: `${program} is not on this machine` };
  const env = childEnvironment({ LC_ALL: "C" });
  const process = startProcess({ command: path, args, cwd, env });
  const { success } = await process.exited;
  return { ok: success, text: process.lastLines().join("\n") };
}
