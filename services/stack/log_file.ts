/**
 * The log of a hub in files, one JSON object a line: `hub.log`, and those before it as `hub.log.1`,
 * `hub.log.2`, and so on.
 * @module
 */
import { join } from "node:path";
import { messageOf } from "../../shared/service/errors.ts";
import type { LogEntry } from "../../shared/service/log_text.ts";

export interface LogFileOptions {
  /** Made when it is not there. */
  folder: string;
  /** Bytes beyond which the next file is begun. */
  size: number;
  /** Files that are kept, that which is written to among them. */
  count: number;
  /** Told, once, that nothing can be written: the hub goes on without. */
  say: (line: string) => void;
  now?: () => Date;
}

export interface LogFile {
  write(part: string, entry: LogEntry): void;
  close(): void;
}

/** Opens the log, behind what is there already. Throws when it cannot be written. */
export function openLogFile(
  { folder, size, count, say, now = () => new Date() }: LogFileOptions,
): LogFile {
  const path = join(folder, "hub.log");
  const encoder = new TextEncoder();
  let written = 0;
  let failing = false;

  function open(): Deno.FsFile {
    const opened = Deno.openSync(path, { append: true, create: true, mode: 0o600 });
    written = opened.statSync().size;
    return opened;
  }

  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Error(`Cannot write the log to ${folder}: ${messageOf(cause)}`, { cause });
  }
  let file: Deno.FsFile | undefined = open();

  /** Moves every file one further, from the last, which goes. */
  function rotate(): void {
    file?.close();
    file = undefined;
    for (let number = count - 1; number > 0; number--) {
      ifThere(() =>
        Deno.renameSync(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`)
      );
    }
    if (count === 1) ifThere(() => Deno.removeSync(path));
    written = 0;
  }

  return {
    write(part, { level, message, fields }) {
      const record = { time: now().toISOString(), level, part, message, ...fields };
      const line = encoder.encode(JSON.stringify(record) + "\n");
      try {
        if (written > 0 && written + line.length > size) rotate();
        file ??= open();
        for (let at = 0; at < line.length;) at += file.writeSync(line.subarray(at));
        written += line.length;
        failing = false;
      } catch (error) {
        // A full disk must not stop the hub, and each line tries again.
        if (!failing) say(`Cannot write the log to ${path} now: ${messageOf(error)}`);
        failing = true;
      }
    },
    close() {
      file?.close();
      file = undefined;
    },
  };
}

function ifThere(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
