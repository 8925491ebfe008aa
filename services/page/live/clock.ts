/**
 * The hub's time, as far as its events tell: the reader's clock may be wrong, and what runs is
 * drawn by the hub's.
 * @module
 */

/** How much later an event was heard than it happened, at least; undefined before the first. */
let ahead: number | undefined;

export function heardAt(at: string): void {
  const late = Date.now() - Date.parse(at);
  if (Number.isFinite(late)) ahead = Math.min(ahead ?? late, late);
}

/** Now, in milliseconds. */
export function hubNow(): number {
  return Date.now() - (ahead ?? 0);
}
