/**
 * A hub with nothing to do, as `deno task up` starts it, and how much memory its processes have.
 * @module
 */
import { basename } from "node:path";
import { freePort } from "../../services/stack/ports.ts";
import { startProcess } from "../../services/stack/process.ts";
import { CACHE_FOLDER, temporaryFolder } from "./folders.ts";
import { proportionalMiB, treeOf } from "./memory.ts";

export interface ProcessMemory {
  pid: number;
  /** What it is: `launcher`, the name of a service, or the program with what it says it does. */
  name: string;
  /** Proportional set size: what it shares with others counts in parts. */
  pssMiB: number;
}

/**
 * Starts a hub in a temporary folder and looks at its processes each `everyMs`, `looks` times. Gives
 * the look at which they had least in all: what else runs on the machine may make them share less
 * for a moment.
 */
export async function measureIdleHub(
  { looks = 3, everyMs = 5000 }: { looks?: number; everyMs?: number } = {},
): Promise<ProcessMemory[]> {
  const folder = await temporaryFolder();
  await Deno.mkdir(CACHE_FOLDER, { recursive: true });
  await Deno.symlink(CACHE_FOLDER, `${folder.path}/cache`);
  const { promise: ready, resolve } = Promise.withResolvers<"ready">();
  const launcher = startProcess({
    command: Deno.execPath(),
    args: ["task", "--quiet", "up", "--data", folder.path, "--port", String(freePort())],
    cwd: new URL("../..", import.meta.url).pathname,
    env: { ...Deno.env.toObject(), NO_COLOR: "1" },
    onLine(line) {
      if (line.includes("Sextant is ready")) resolve("ready");
    },
  });
  try {
    if (await Promise.race([ready, launcher.exited]) !== "ready") {
      throw new Error(`The hub did not start:\n${launcher.lastLines().join("\n")}`);
    }
    let least: ProcessMemory[] | undefined;
    for (let look = 0; look < looks; look++) {
      await new Promise((resolve) => setTimeout(resolve, everyMs));
      const all = treeOf(launcher.pid).flatMap(memoryOf);
      if (!least || totalOf(all) < totalOf(least)) least = all;
    }
    return least!;
  } finally {
    await launcher.stop();
    await folder.remove();
  }
}

export function totalOf(processes: ProcessMemory[]): number {
  return processes.reduce((sum, { pssMiB }) => sum + pssMiB, 0);
}

/** Nothing for one that has ended meanwhile. */
function memoryOf(pid: number): ProcessMemory[] {
  try {
    const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
    return [{ pid, name: nameOf(command), pssMiB: proportionalMiB(pid) }];
  } catch {
    return [];
  }
}

function nameOf(command: string[]): string {
  const line = command.join(" ");
  const service = /services\/(\w+)\/main\.ts/.exec(line)?.[1];
  if (service) return service === "stack" ? "launcher" : service;
  if (command[1] === "task") return "deno task";
  // PostgreSQL's processes say what they are in place of a command line.
  return line.startsWith("postgres: ") ? line.trim() : basename(command[0]!);
}
