/**
 * The error of the shell itself.
 * @module
 */

/** Something the operator typed cannot be done; the message says what and why. */
export class ShellError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "ShellError";
  }
}

/** The first line of a text, without what a terminal would obey. */
export function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex -- these are what is to be kept from the terminal
  return text.split("\n", 1)[0]!.replace(/[\x00-\x1f\x7f-\x9f]/g, " ").trim();
}
