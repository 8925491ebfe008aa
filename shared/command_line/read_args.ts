/**
 * What every command of Sextant does with its arguments.
 * @module
 */
import { resolve } from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { messageOf } from "../service/errors.ts";

/** The command line cannot be understood; the message says what is wrong with it. Exit code 2. */
export class UsageError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "UsageError";
  }
}

/** Node's `parseArgs`, whose complaints are {@linkcode UsageError}s of one sentence. */
export function readArgs<Config extends ParseArgsConfig>(config: Config) {
  try {
    return parseArgs(config);
  } catch (cause) {
    // What follows explains how to pass file names that begin with a dash.
    const message = messageOf(cause).split(/[.\n]\s/)[0]!;
    throw new UsageError(message, { cause });
  }
}

/** The whole number that an option was given as. */
export function wholeNumber(option: string, text: string, least = 0, most = 2 ** 31 - 1): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new UsageError(`--${option} must be a number from ${least} to ${most}, not "${text}"`);
  }
  return value;
}

/** A path as it was typed: `deno task` works in the checkout, wherever it was called. */
export function typedPath(path: string): string {
  return resolve(Deno.env.get("INIT_CWD") ?? Deno.cwd(), path);
}
