/**
 * What an algorithm says of itself. Its file is not trusted for that: it is asked in the sandbox,
 * without data.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import type { RunLimits } from "../run/runtime.ts";
import type { RunSpec } from "./run_spec.ts";
import type { Sandbox } from "./sandbox.ts";

export interface ReadSelfOptions {
  sandbox: Pick<Sandbox, "start">;
  limits: RunLimits;
  /** Gives up. */
  signal: AbortSignal;
  withinMs?: number;
}

/** More than this an algorithm has not to say. */
const MOST_MIB = 1;

/** What an algorithm is, as its file says. */
export const selfSchema = z.object({
  /** What it exports as `description`; null for nothing. */
  description: z.unknown(),
  /** The functions that it exports. */
  functions: z.array(z.string()),
});
export type Self = z.infer<typeof selfSchema>;

/**
 * Loads the algorithm and asks it. What comes is whatever the file exports; a description has yet
 * to be checked. Throws an Error that says why the file cannot be loaded.
 */
export async function readSelf(
  algorithm: RunSpec["algorithm"],
  { sandbox, limits, signal, withinMs = 30_000 }: ReadSelfOptions,
): Promise<Self> {
  signal.throwIfAborted();
  const nothing = () => Promise.reject(new Error("nothing can be asked here"));
  const handle = await sandbox.start({
    name: `describe-${crypto.randomUUID()}`,
    algorithm,
    input: null,
    databases: [],
    place: {
      organization: { id: 0, name: "" },
      node: { id: 0, name: "" },
      task: { id: 0, runId: 0 },
      settings: {},
      disclosure: null,
    },
    limits: { ...limits, outputMiB: MOST_MIB },
    onLog() {},
    client: { organizations: nothing, createTask: nothing, results: nothing },
  });
  const end = () => void handle.kill();
  const timer = setTimeout(end, withinMs);
  signal.addEventListener("abort", end, { once: true });
  try {
    const { result, reason, release } = await handle.done;
    signal.throwIfAborted();
    if (!result) throw new Error(reason ?? "The algorithm cannot be loaded.");
    const text = await Deno.readTextFile(result.path);
    await release?.();
    return selfSchema.parse(JSON.parse(text));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

/** The same, kept in `cacheDir` under the digest of the algorithm. */
export async function readSelfOnce(
  { code, ...algorithm }: RunSpec["algorithm"] & { code: string },
  { cacheDir, ...options }: ReadSelfOptions & { cacheDir: string },
): Promise<Self> {
  const path = join(cacheDir, `${code.replace("sha256:", "")}.json`);
  try {
    return selfSchema.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch {
    const self = await readSelf(algorithm, options);
    // Two may ask at once.
    const fresh = `${path}.${crypto.randomUUID()}.new`;
    await Deno.writeTextFile(fresh, JSON.stringify(self));
    await Deno.rename(fresh, path);
    return self;
  }
}
