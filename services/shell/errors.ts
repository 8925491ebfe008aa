/**
 * The error of the shell itself, and texts that cannot do harm.
 * @module
 */
import { harmless } from "../../shared/command_line/harmless.ts";

export { harmless };

/** Something the operator typed cannot be done; the message says what and why. */
export class ShellError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "ShellError";
  }
}

/** There is no session, and why. */
export class CannotStart extends ShellError {}

/** The first line of a text, without what a terminal would obey. */
export function oneLine(text: string): string {
  return harmless(text.split("\n", 1)[0]!, " ").trim();
}
