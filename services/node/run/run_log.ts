/**
 * What one run printed, on both its streams, up to a limit: beyond it the beginning and the end are
 * kept, for a program that fails says why at its end.
 * @module
 */
import { Buffer } from "node:buffer";

const NEWLINE = 0x0a;

export interface RunLogOptions {
  maxBytes: number;
  /** Called with whole lines as they come, as far as the first `maxBytes` go. */
  onLines: (lines: string[]) => void;
}

export interface RunLog {
  /** Returns a function that takes the bytes of one stream. */
  writer(): (bytes: Uint8Array) => void;
  /** Everything so far; says so where it was cut. */
  text(): string;
}

export function createRunLog({ maxBytes, onLines }: RunLogOptions): RunLog {
  const kept = createEnds(maxBytes);
  const unfinished: (() => string)[] = [];
  let used = 0;

  return {
    writer() {
      const decoder = new TextDecoder();
      let partial = "";
      unfinished.push(function take() {
        const text = partial;
        partial = "";
        return text;
      });

      return function write(bytes) {
        // The database that will hold the log cannot hold NUL.
        const text = decoder.decode(bytes, { stream: true }).replaceAll("\0", "\ufffd");
        const isShown = used < maxBytes;
        used += bytes.length;
        // A line that comes in many pieces is not searched again with each.
        const end = text.lastIndexOf("\n");
        const isWhole = end >= 0;
        if (!isWhole && partial.length + text.length <= maxBytes) {
          partial += text;
          return;
        }
        const lines = partial + (isWhole ? text.slice(0, end) : text);
        partial = isWhole ? text.slice(end + 1) : "";
        kept.add(lines);
        if (isShown) onLines(lines.split("\n"));
      };
    },

    text() {
      for (const take of unfinished) {
        const line = take();
        if (line !== "") kept.add(line);
      }
      return kept.text();
    },
  };
}

interface Ends {
  /** Takes lines, without the last line break. */
  add(lines: string): void;
  text(): string;
}

/** Keeps the beginning and the end of what is added, so many bytes in all. */
function createEnds(maxBytes: number): Ends {
  const first: Buffer[] = [];
  let firstBytes = 0;
  /** Those from `from` on are kept. */
  let last: Buffer[] = [];
  let lastBytes = 0;
  let from = 0;
  let dropped = 0;

  /** Takes for the beginning what there is room for, in whole lines; returns the rest. */
  function addFirst(lines: Buffer): Buffer {
    const room = Math.floor(maxBytes / 2) - firstBytes;
    if (last.length > 0 || room <= 0) return lines;
    const end = lines.length <= room ? lines.length : lines.lastIndexOf(NEWLINE, room - 1) + 1;
    if (end > 0) first.push(lines.subarray(0, end));
    firstBytes += end;
    return lines.subarray(end);
  }

  function dropOld(): void {
    const room = maxBytes - firstBytes;
    while (lastBytes > room) {
      const oldest = last[from]!;
      const excess = Math.min(lastBytes - room, oldest.length);
      if (excess === oldest.length) from++;
      else last[from] = oldest.subarray(excess);
      lastBytes -= excess;
      dropped += excess;
    }
    if (from < 100 || from < last.length / 2) return;
    last = last.slice(from);
    from = 0;
  }

  return {
    add(lines) {
      const rest = addFirst(Buffer.from(`${lines}\n`));
      if (rest.length === 0) return;
      last.push(rest);
      lastBytes += rest.length;
      dropOld();
    },
    text() {
      const beginning = Buffer.concat(first).toString();
      // A letter that was cut in two goes.
      const end = Buffer.concat(last.slice(from)).toString().replace(/^\ufffd+(?=.)/, "");
      const note = dropped === 0 ? "" : `[The log was cut here: the node keeps ${maxBytes} bytes ` +
        `of it; ${dropped} bytes are missing.]\n`;
      return (beginning + note + end).replace(/\n$/, "");
    },
  };
}
