/**
 * How much of the machine's disk one container holds: in its folders, in its own root file system,
 * in volumes that its image declares, and in files that have no name any more but are still open.
 * @module
 */
import { plainEnvironment } from "../../../shared/service/plain_environment.ts";
import { join } from "node:path";
import { z } from "zod";
import type { Engine } from "./engine.ts";

/**
 * What a run wrote cannot be counted, so nobody knows how much it is. The message is for the
 * researcher.
 */
export class UncountableError extends Error {
  override name = "UncountableError";
}

/** Counts what containers write outside of the folders that the agent gives them. */
export interface DiskCounter {
  /**
   * Gives what tells, as often as it is asked, how many bytes one container holds there. `pid` is
   * its first process.
   */
  of(id: string, pid: number): () => Promise<number>;
}

/** Where a container writes. */
interface Layer {
  /**
   * Its own part of the root file system, if the engine keeps that in a folder which can be seen
   * from here.
   */
  folder: string | undefined;
  volumes: string[];
}

const layerSchema = z.object({
  GraphDriver: z.object({ Data: z.object({ UpperDir: z.string().optional() }).nullish() })
    .nullish(),
  Mounts: z.array(z.object({ Type: z.string(), Source: z.string().default("") })).nullish(),
});

/** One for all containers, because it looks at every process of the machine. */
export function createDiskCounter(engine: Engine): DiskCounter {
  const processes = processTable();

  async function layerOf(id: string): Promise<Layer> {
    const { GraphDriver, Mounts } = await engine.json("GET", `/containers/${id}/json`, layerSchema);
    const folder = GraphDriver?.Data?.UpperDir;
    const seen = folder !== undefined && await Deno.stat(folder).then(() => true, () => false);
    const volumes = (Mounts ?? []).filter(({ Type, Source }) => Type === "volume" && Source);
    return { folder: seen ? folder : undefined, volumes: volumes.map(({ Source }) => Source) };
  }

  /** Costs the engine much, above all one that copies images. */
  async function sizeByEngine(id: string): Promise<number> {
    const schema = z.object({ SizeRw: z.number().default(0) });
    return (await engine.json("GET", `/containers/${id}/json?size=true`, schema)).SizeRw;
  }

  return {
    of(id, pid) {
      let layer: Layer | undefined;
      return async function countOutside() {
        layer ??= await layerOf(id);
        let size = layer.folder === undefined ? Infinity : await sizeOf(layer.folder, pid);
        if (size === Infinity) size = await sizeByEngine(id);
        for (const volume of layer.volumes) size += await sizeOf(volume, pid);
        return size + await unlinkedSize(processes.inNamespaceOf(pid));
      };
    },
  };
}

/** How old a list of processes may be. */
const PROCESSES_MS = 400;

/** All processes of the machine by their process namespace. */
function processTable() {
  let table = new Map<string, number[]>();
  let read = -Infinity;

  function refresh(): void {
    if (performance.now() - read < PROCESSES_MS) return;
    table = new Map();
    for (const { name } of Deno.readDirSync("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const namespace = namespaceOf(name);
      if (namespace === undefined) continue;
      const known = table.get(namespace);
      if (known) known.push(Number(name));
      else table.set(namespace, [Number(name)]);
    }
    read = performance.now();
  }

  return {
    /** The processes in the namespace of `pid`; none if that is this machine's. */
    inNamespaceOf(pid: number): number[] {
      const namespace = pid > 0 ? namespaceOf(pid) : undefined;
      if (namespace === undefined || namespace === namespaceOf("self")) return [];
      refresh();
      return table.get(namespace) ?? [];
    },
  };
}

/** `undefined` when there is no such process any more, or it is another user's. */
function namespaceOf(process: number | string): string | undefined {
  try {
    return Deno.readLinkSync(`/proc/${process}/ns/pid`);
  } catch {
    return undefined;
  }
}

/** Bytes of files without a name that these processes have open. */
async function unlinkedSize(processes: number[]): Promise<number> {
  const sizes = new Map<string, number>();
  for (const process of processes) {
    try {
      for await (const { name } of Deno.readDir(`/proc/${process}/fd`)) {
        const path = `/proc/${process}/fd/${name}`;
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
 * Bytes of all files below `folder`; infinite when there are too many to look at. Follows no link.
 * What the agent may not see is counted with the rights of the container's process `pid`. Throws an
 * {@linkcode UncountableError}.
 */
export async function sizeOf(folder: string, pid: number): Promise<number> {
  try {
    return await count(folder);
  } catch (error) {
    // An agent without root may not look into what other users of the container keep for
    // themselves.
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

/**
 * As root of the container's users, to whom the agent's user belongs where the engine is rootless.
 */
async function countInside(folder: string, pid: number): Promise<number> {
  const users = [`--target=${pid}`, "--user", "--preserve-credentials", "--"];
  const { stdout, stderr } = await new Deno.Command("nsenter", {
    args: [...users, "du", "--summarize", "--bytes", folder],
    clearEnv: true,
    env: plainEnvironment({ LC_ALL: "C" }),
    signal: AbortSignal.timeout(COUNT_MS),
  }).output().catch((cause) => {
    throw new UncountableError(
      "one of them is another user's, and nsenter, which could look at it, does not run",
      { cause },
    );
  });
  const size = /^\d+/.exec(new TextDecoder().decode(stdout))?.[0];
  const denied = new TextDecoder().decode(stderr).includes("Permission denied");
  if (size !== undefined && !denied) return Number(size);
  // A container that has ended writes no more.
  if (!await Deno.stat(`/proc/${pid}/ns`).catch(() => undefined)) return 0;
  throw new UncountableError("the node may not look at one of them");
}
