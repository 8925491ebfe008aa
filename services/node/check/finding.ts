/**
 * What the preflight finds.
 * @module
 */

export interface Finding {
  name: string;
  well: boolean;
  /** What was found, and, when it is not well, what to do. */
  note: string;
}

export function finding(name: string, well: boolean, note: string): Finding {
  return { name, well, note };
}
