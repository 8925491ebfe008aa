/**
 * Waiting for a task to move: held status requests sleep here until an event wakes them.
 * @module
 */
export interface TaskWatch {
  /**
   * Resolves when something about the task changed, after `timeoutMs`, when `signal` aborts, or at
   * the end.
   */
  changed(taskId: number, timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** Wakes those who wait for this task. */
  wake(taskId: number): void;
  /** Wakes everybody: after a reconnection events may have been missed. */
  wakeAll(): void;
  /** The end: wakes everybody, and from now on nobody waits. */
  close(): void;
  readonly closed: boolean;
}

export function createTaskWatch(): TaskWatch {
  const waiting = new Map<number, Set<() => void>>();
  let closed = false;

  function wake(taskId: number) {
    for (const resolve of waiting.get(taskId) ?? []) resolve();
  }
  function wakeAll() {
    for (const taskId of [...waiting.keys()]) wake(taskId);
  }

  return {
    wake,
    wakeAll,
    close() {
      closed = true;
      wakeAll();
    },
    get closed() {
      return closed;
    },
    changed(taskId, timeoutMs, signal) {
      if (closed || signal.aborted) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      const onAbort = () => resolve();
      const others = waiting.get(taskId) ?? new Set();
      waiting.set(taskId, others.add(resolve));
      const timer = setTimeout(resolve, Math.max(0, timeoutMs));
      signal.addEventListener("abort", onAbort, { once: true });
      return promise.finally(() => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        others.delete(resolve);
        if (others.size === 0 && waiting.get(taskId) === others) waiting.delete(taskId);
      });
    },
  };
}
