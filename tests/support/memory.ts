/** How much memory of its own a process comes to have, for tests of what must not grow with a payload. */

/** Private memory of a process, in MiB; 0 when there is no such process. */
export function ownMemory(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Looks at a process again and again; `stop` returns the most that it has had beyond what it had at first, in MiB. */
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
 * Bytes on the heap of the calling test file and in its buffers. Its process's resident set would not do: test files
 * that run at the same time share a process.
 */
export function memoryUsed(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
