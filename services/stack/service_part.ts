/**
 * How each of our own processes is started: its entry point, its environment, and the least rights
 * Deno can hold it to.
 * @module
 */
import { fileURLToPath } from "node:url";
import { childEnvironment } from "./child_environment.ts";
import { startProcess } from "./process.ts";
import { parseLine } from "./log_lines.ts";
import { type Part, PartDied } from "./supervisor.ts";

/** The checkout. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What a service's log says once it serves. */
const READY = "Ready";
/** Never less than `info`, or that line would be missing; the launcher chooses what it shows. */
const LOG_LEVEL = Deno.env.get("SEXTANT_LOG_LEVEL") === "debug" ? "debug" : "info";

/**
 * What was freed goes back to the system: by default the C library keeps such pieces once one of
 * them was freed (mallopt(3), M_MMAP_THRESHOLD), and mimalloc, which the 19 MiB of a password's
 * hash are taken from, gives nothing back before its next allocation.
 */
const FREES = {
  MALLOC_MMAP_THRESHOLD_: "1048576",
  MALLOC_TRIM_THRESHOLD_: "131072",
  MIMALLOC_PURGE_DELAY: "0",
};

export interface DenoPartOptions {
  name: string;
  /** The path of its main module at its next start. */
  main: () => string;
  permissions: string[];
  args?: string[];
  env: Record<string, string>;
  /** The launcher's variables that are meant for it. */
  inherits: readonly string[];
  /** Whether the others can go on without it. */
  optional?: boolean;
}

/** A part that is a Deno program of ours. It is ready when its log says so. */
export function denoPart(
  { name, main, permissions, args = [], env, inherits, optional = false }: DenoPartOptions,
): Part {
  const part: Part = {
    name,
    format: "json",
    optional,
    async start({ onLine, onProcess }) {
      const { promise: ready, resolve } = Promise.withResolvers<"ready">();
      const process = startProcess({
        command: Deno.execPath(),
        args: ["run", "--quiet", "--no-prompt", ...permissions, main(), ...args],
        env: childEnvironment(
          { ...FREES, ...env, SEXTANT_LOG_LEVEL: LOG_LEVEL, NO_COLOR: "1" },
          { inherits },
        ),
        onLine(line) {
          if (parseLine("json", line).message === READY) resolve("ready");
          onLine(line);
        },
      });
      onProcess(process);
      const outcome = await Promise.race([ready, process.exited]);
      if (outcome !== "ready") throw new PartDied(part, outcome, process.lastLines());
    },
  };
  return part;
}

/**
 * Puts the programs' packages into Deno's cache before the parts start: side by side they would
 * fetch the same ones several times, each against its own deadline.
 */
export async function fetchPackages(mains: string[], checkout = ROOT): Promise<void> {
  const process = startProcess({
    command: Deno.execPath(),
    args: ["cache", "--quiet", ...mains.map((main) => `${checkout}${main}`)],
    cwd: checkout,
    env: childEnvironment({}, { fetches: true }),
  });
  const { success } = await process.exited;
  if (success) return;
  throw new Error(
    `Cannot load the services' programs and packages. Is the npm registry within reach?\n` +
      process.lastLines().join("\n"),
  );
}
