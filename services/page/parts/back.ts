/**
 * When the server is back after it could not be reached: what failed meanwhile is tried again.
 * @module
 */
const listeners = new Set<() => void>();

/** Calls `listener` whenever the server is back, until the function that it returns is called. */
export function onBack(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function tellBack(): void {
  for (const listener of [...listeners]) listener();
}
