/**
 * How much of the machine's disk one container holds: in its folders, in its own root file system, in volumes that its
 * image declares, and in files that have no name any more but are still open.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import type { Engine } from "./engine.ts";

/** What a run wrote cannot be counted, so nobody knows how much it is. The message is for the researcher. */
export class UncountableError extends Error {
  override name = "UncountableError";
}

const layerSchema = z.object({
  SizeRw: z.number().default(0),
  State: z.object({ Pid: z.number().default(0) }),
  Mounts: z.array(z.object({ Type: z.string(), Source: z.string().default("") })).nullish(),
});

/** Bytes that a container has written where the agent gave it no folder. Asks much of the engine. */
export async function hiddenSize(engine: Engine, id: string): Promise<number> {
  const path = `/containers/${id}/json?size=true`;
  const { SizeRw, State, Mounts } = await engine.json("GET", path, layerSchema);
  let size = SizeRw;
  for (const { Type, Source } of Mounts ?? []) {
    if (Type === "volume" && Source) size += await sizeOf(Source, State.Pid);
  }
  return size + (State.Pid > 0 ? await unlinkedSize(State.Pid) : 0);
}

/** Bytes of files without a name that are open in the process namespace of `pid`. */
async function unlinkedSize(pid: number): Promise<number> {
  const namespace = await Deno.readLink(`/proc/${pid}/ns/pid`).catch(() => undefined);
  const own = await Deno.readLink("/proc/self/ns/pid").catch(() => undefined);
  if (namespace === undefined || namespace === own) return 0;
  const sizes = new Map<string, number>();
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (await Deno.readLink(`/proc/${name}/ns/pid`) !== namespace) continue;
      for await (const descriptor of Deno.readDir(`/proc/${name}/fd`)) {
        const path = `/proc/${name}/fd/${descriptor.name}`;
        const target = await Deno.readLink(path);
        // What lies in memory counts as such.
        if (!target.endsWith(" (deleted)") || /^\/(memfd:|dev\/shm\/|SYSV)/.test(target)) continue;
        const { isFile, nlink, dev, ino, size } = await Deno.stat(path);
        if (isFile && nlink === 0) sizes.set(`${dev} ${ino}`, size);
      }
    } catch {
      // It has ended meanwhile, or is another user's.
    }
  }
  return sizes.values().reduce((sum, size) => sum + size, 0);
}

/** Entries beyond which nobody counts. */
const MANY = 100_000;
/** How long a count by another program may take. */
const COUNT_MS = 60_000;

/**
 * Bytes of all files below `folder`; infinite when there are too many to look at. Follows no link. What the agent may
 * not see is counted with the rights of the container's process `pid`. Throws an {@linkcode UncountableError}.
 */
export async function sizeOf(folder: string, pid: number): Promise<number> {
  try {
    return await count(folder);
  } catch (error) {
    // An agent without root may not look into what other users of the container keep for themselves.
    if (error instanceof Deno.errors.PermissionDenied) return await countInside(folder, pid);
    const { code = "no reason" } = error as { code?: string };
    throw new UncountableError(
      code === "ENAMETOOLONG"
        ? "one of them lies too deep in folders"
        : `one of them cannot be looked at (${code})`,
      { cause: error },
    );
  }
}

async function count(folder: string): Promise<number> {
  let bytes = 0;
  let entries = 0;
  const left = [folder];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    try {
      for await (const { name, isDirectory } of Deno.readDir(at)) {
        if (++entries > MANY) return Infinity;
        const path = join(at, name);
        if (isDirectory) left.push(path);
        // What is sparse takes no room, but will when it is read.
        else bytes += (await Deno.lstat(path).catch(unlessGone))?.size ?? 0;
      }
    } catch (error) {
      unlessGone(error);
    }
  }
  return bytes;
}

/** What was there a moment ago may have been removed, or another thing put in its place. */
function unlessGone(error: unknown): undefined {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return;
  throw error;
}

/** As root of the container's users, to whom the agent's user belongs where the engine is rootless. */
async function countInside(folder: string, pid: number): Promise<number> {
  const users = [`--target=${pid}`, "--user", "--preserve-credentials", "--"];
  const { stdout, stderr } = await new Deno.Command("nsenter", {
    args: [...users, "du", "--summarize", "--bytes", folder],
    env: { LC_ALL: "C" },
    signal: AbortSignal.timeout(COUNT_MS),
  }).output();
  const size = /^\d+/.exec(new TextDecoder().decode(stdout))?.[0];
  const denied = new TextDecoder().decode(stderr).includes("Permission denied");
  if (size !== undefined && !denied) return Number(size);
  // A container that has ended writes no more.
  if (!await Deno.stat(`/proc/${pid}/ns`).catch(() => undefined)) return 0;
  throw new UncountableError("the node may not look at one of them");
}
