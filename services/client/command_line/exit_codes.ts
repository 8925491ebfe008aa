/**
 * What a command ends with, for scripts.
 * @module
 */
import { UsageError } from "../../../shared/command_line/read_args.ts";
import { KeyError, LoggedOutError, LogInRefusedError, UnreachableError } from "../errors.ts";

export const EXIT = {
  well: 0,
  failed: 1,
  usage: 2,
  loggedOut: 3,
  unreachable: 4,
  key: 5,
  stopped: 130,
} as const;

export const EXIT_HELP = `Exit codes:
  0    well
  1    the hub refused it, or a part of the task has no result
  2    the command line is wrong
  3    the log-in was refused or has ended, or nobody is logged in
  4    the hub cannot be reached
  5    a key cannot be used, or is another than before
  130  stopped by Ctrl-C; what was posted goes on`;

export function exitCodeOf(error: unknown): number {
  if (error instanceof Stopped) return EXIT.stopped;
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof LoggedOutError || error instanceof LogInRefusedError) {
    return EXIT.loggedOut;
  }
  if (error instanceof UnreachableError) return EXIT.unreachable;
  if (error instanceof KeyError) return EXIT.key;
  return EXIT.failed;
}

/** By Ctrl-C. The message says what goes on, and how to come back. */
export class Stopped extends Error {
  override name = "Stopped";
}
