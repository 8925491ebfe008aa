/**
 * The error of the shell itself, and texts that cannot do harm.
 * @module
 */

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

/**
 * Text without control characters: a log or a name must not be able to move the cursor or to set
 * the title. `instead` stands for new lines and tabs, which stay where it is not given.
 */
export function harmless(text: string, instead?: string): string {
  // deno-lint-ignore no-control-regex -- these are what is to be kept from the terminal
  const shown = text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "\u{fffd}");
  return instead === undefined ? shown : shown.replace(/[\n\t]+/g, instead);
}
