/**
 * A running algorithm's log on its way to whoever watches: at once when it is quiet, gathered when it is not, and
 * never more than a watcher could read. The whole log comes with the result.
 * @module
 */

export interface LogStreamOptions {
  send: (message: { seq: number; lines: string[] }) => void;
  /** Shortest time between two messages, in milliseconds. */
  everyMs?: number;
  /** Lines in one message; more are left out, and counted. */
  maxLines?: number;
  /** Characters of a line. */
  maxLength?: number;
}

export interface LogStream {
  push(lines: string[]): void;
  /** Sends what is left. */
  end(): void;
}

export function createLogStream(
  { send, everyMs = 100, maxLines = 200, maxLength = 1000 }: LogStreamOptions,
): LogStream {
  let gathered: string[] = [];
  let leftOut = 0;
  let seq = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush() {
    timer = undefined;
    if (gathered.length === 0) return;
    if (leftOut > 0) gathered.push(`[${leftOut} more lines]`);
    send({ seq: seq++, lines: gathered });
    gathered = [];
    leftOut = 0;
    timer = setTimeout(flush, everyMs);
  }

  return {
    push(lines) {
      for (const line of lines) {
        if (gathered.length < maxLines) gathered.push(line.slice(0, maxLength));
        else leftOut++;
      }
      if (timer === undefined) flush();
    },
    end() {
      clearTimeout(timer);
      flush();
      clearTimeout(timer);
    },
  };
}
