/**
 * What a check of the doctor finds.
 * @module
 */
import type { Addresses } from "../connections.ts";
import type { Shell } from "../shell.ts";

/** `note`: worth knowing; `wrong`: something does not work, or soon will not. */
export interface Finding {
  check: string;
  state: "ok" | "note" | "wrong";
  finding: string;
  /** What to do about it. */
  advice?: string;
}

export type Check = (shell: Shell, addresses: Addresses) => Promise<Finding[]>;

export function ok(check: string, finding: string): Finding {
  return { check, state: "ok", finding };
}
export function note(check: string, finding: string, advice: string): Finding {
  return { check, state: "note", finding, advice };
}
export function wrong(check: string, finding: string, advice: string): Finding {
  return { check, state: "wrong", finding, advice };
}
