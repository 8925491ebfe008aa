/**
 * How much of the machine's disk one container holds: in its folders, in its own root file system, in volumes that its
 * image declares, and in files that have no name any more but are still open.
 * @module
 */
import { z } from "zod";
import type { Engine } from "./engine.ts";
import { sizeOf } from "./place.ts";

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
    if (Type === "volume" && Source) size += await sizeOf(Source);
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
