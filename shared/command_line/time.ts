/**
 * Times as people read them.
 * @module
 */

/** What {@linkcode dateShown} gives: in a table it stays in one line. */
export const WHOLE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/;

/** `2026-11-23 21:56:40 UTC` */
export function dateShown(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
