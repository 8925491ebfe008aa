/**
 * How much memory of its own a process comes to have, for tests of what must not grow with a
 * payload.
 */

/** Private memory of a process, in MiB; 0 when there is no such process. */
export function ownMemory(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/**
 * Looks at a process again and again; `stop` returns the most that it has had beyond what it had at
 * first, in MiB.
 */
export function watchGrowth(pid: number): { stop(): number } {
  const first = ownMemory(pid);
  let most = first;
  const timer = setInterval(() => most = Math.max(most, ownMemory(pid)), 10);
  return {
    stop() {
      clearInterval(timer);
      return most - first;
    },
  };
}

/**
 * Bytes on the heap of the calling test file and in its buffers. Its process's resident set would
 * not do: test files that run at the same time share a process.
 */
export function memoryUsed(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/** A process and all that it has started, directly or not. */
export function treeOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = Deno.readTextFileSync(`/proc/${name}/status`);
      parents.set(Number(name), Number(/^PPid:\s+(\d+)$/m.exec(status)![1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const tree = [root];
  for (const one of tree) {
    for (const [pid, parent] of parents) if (parent === one) tree.push(pid);
  }
  return tree;
}

/**
 * Memory of processes on a machine where nothing else runs: what they share with strangers, too,
 * counts once. MiB.
 */
export function aloneMiB(pids: number[]): number {
  const files = new Map<string, number>();
  let own = 0;
  for (const pid of pids) {
    const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
    own += kibibytes(rollup, "Pss_Anon") + kibibytes(rollup, "Pss_Shmem");
    for (const mapping of mappingsOf(pid)) {
      // A name without one is that of memory which is shared among them alone.
      const [, offset, path] = /^\S+ \S+ (\S+) \S+ \S+ +(\/.*)\n/.exec(mapping) ?? [];
      if (path === undefined || /\(deleted\)$|^\/dev\//.test(path)) continue;
      const clean = kibibytes(mapping, "Rss") - kibibytes(mapping, "Anonymous");
      const key = `${path} ${offset}`;
      files.set(key, Math.max(files.get(key) ?? 0, clean));
    }
  }
  return (own + [...files.values()].reduce((sum, one) => sum + one, 0)) / 1024;
}

/** The parts of `smaps`, one for each piece of a process's addresses. */
function mappingsOf(pid: number): string[] {
  return Deno.readTextFileSync(`/proc/${pid}/smaps`).split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/);
}

function kibibytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)![1]);
}

/** Memory of a process, where what it shares with others counts in parts. */
export function proportionalMiB(pid: number): number {
  return kibibytes(Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`), "Pss") / 1024;
}
