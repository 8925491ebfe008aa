/**
 * What one run printed, on both its streams, up to a limit.
 * @module
 */

export interface RunLogOptions {
  maxBytes: number;
  /** Called with whole lines as they come. */
  onLines: (lines: string[]) => void;
}

export interface RunLog {
  /** Returns a function that takes the bytes of one stream. */
  writer(): (bytes: Uint8Array) => void;
  /** Everything so far; says so where it was cut. */
  text(): string;
}

export function createRunLog({ maxBytes, onLines }: RunLogOptions): RunLog {
  const kept: string[] = [];
  const unfinished: (() => string)[] = [];
  let used = 0;
  let dropped = 0;

  return {
    writer() {
      const decoder = new TextDecoder();
      let partial = "";
      unfinished.push(() => partial);

      return function write(bytes) {
        const taken = bytes.subarray(0, maxBytes - used);
        used += taken.length;
        dropped += bytes.length - taken.length;
        if (taken.length === 0) return;
        // The database that will hold the log cannot hold NUL.
        const text = decoder.decode(taken, { stream: true }).replaceAll("\0", "\ufffd");
        // A line that comes in many pieces is not searched again with each.
        const lines = text.split("\n");
        lines[0] = partial + lines[0];
        partial = lines.pop()!;
        if (lines.length === 0) return;
        for (const line of lines) kept.push(line);
        onLines(lines);
      };
    },

    text() {
      const lines = [
        ...kept,
        ...unfinished.map((partial) => partial()).filter((text) => text !== ""),
      ];
      if (dropped > 0) {
        lines.push(
          `[The log was cut here: the node keeps ${maxBytes} bytes, and ${dropped} more came.]`,
        );
      }
      return lines.join("\n");
    },
  };
}
