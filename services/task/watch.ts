/**
 * Waiting for a task to move: held status requests sleep here until an event wakes them.
 * @module
 */
export interface TaskWatch {
  /** Resolves when something about the task changed, after `timeoutMs`, or when `signal` aborts. */
  changed(taskId: number, timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** Wakes those who wait for this task. */
  wake(taskId: number): void;
  /** Wakes everybody: after a reconnection events may have been missed, and at the end. */
  wakeAll(): void;
}

export function createTaskWatch(): TaskWatch {
  const waiting = new Map<number, Set<() => void>>();

  function wake(taskId: number) {
    for (const resolve of waiting.get(taskId) ?? []) resolve();
  }

  return {
    wake,
    wakeAll() {
      for (const taskId of [...waiting.keys()]) wake(taskId);
    },
    changed(taskId, timeoutMs, signal) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const others = waiting.get(taskId) ?? new Set();
      waiting.set(taskId, others.add(resolve));
      const timer = setTimeout(resolve, Math.max(0, timeoutMs));
      signal.addEventListener("abort", () => resolve(), { once: true });
      return promise.finally(() => {
        clearTimeout(timer);
        others.delete(resolve);
        if (others.size === 0 && waiting.get(taskId) === others) waiting.delete(taskId);
      });
    },
  };
}
