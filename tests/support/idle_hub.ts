/**
 * A hub with nothing to do, as `deno task up` starts it, and how much memory its processes have.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { basename } from "node:path";
import { freePort } from "../../services/stack/ports.ts";
import { startProcess } from "../../services/stack/process.ts";
import { CACHE_FOLDER, temporaryFolder } from "./folders.ts";
import { aloneMiB, proportionalMiB, treeOf } from "./memory.ts";

export interface ProcessMemory {
  pid: number;
  /** What it is: `launcher`, the name of a service, or the program with what it says it does. */
  name: string;
  /** Proportional set size: what it shares with others counts in parts. */
  pssMiB: number;
}

export interface Look {
  /** Seconds after the hub said that it is ready. */
  seconds: number;
  processes: ProcessMemory[];
  /** What they would have on a machine where nothing else runs. */
  aloneMiB: number;
}

/** A hub that was started, and how long that took. */
export interface IdleHub {
  readyMs: number;
  looks: Look[];
}

/**
 * Starts a hub in a new folder, and looks at its processes so many seconds after it is ready; then
 * starts it again in the same folder.
 */
export async function measureIdleHub(
  seconds: readonly number[],
): Promise<{ first: IdleHub; again: IdleHub }> {
  const folder = await temporaryFolder();
  try {
    await Deno.mkdir(CACHE_FOLDER, { recursive: true });
    await Deno.symlink(CACHE_FOLDER, `${folder.path}/cache`);
    const first = await measureStart(folder.path, seconds);
    return { first, again: await measureStart(folder.path, []) };
  } finally {
    await folder.remove();
  }
}

async function measureStart(folder: string, seconds: readonly number[]): Promise<IdleHub> {
  const { promise: ready, resolve } = Promise.withResolvers<"ready">();
  const begun = performance.now();
  const launcher = startProcess({
    command: Deno.execPath(),
    args: ["task", "--quiet", "up", "--data", folder, "--port", String(freePort())],
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
    const readyAt = performance.now();
    const looks: Look[] = [];
    for (const second of seconds) {
      await delay(readyAt + second * 1000 - performance.now());
      looks.push(lookAt(launcher.pid, second));
    }
    return { readyMs: readyAt - begun, looks };
  } finally {
    await launcher.stop();
  }
}

function lookAt(launcher: number, seconds: number): Look {
  const processes = treeOf(launcher).flatMap(memoryOf);
  return { seconds, processes, aloneMiB: aloneMiB(processes.map(({ pid }) => pid)) };
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
  if (/services\/stack\/main\.ts/.test(line)) return "launcher";
  const service = /\/programs\/\w+\/(\w+)\.js/.exec(line)?.[1];
  if (service) return service;
  if (command[1] === "task") return "deno task";
  // PostgreSQL's processes say what they are in place of a command line.
  return line.startsWith("postgres: ") ? line.trim() : basename(command[0]!);
}
