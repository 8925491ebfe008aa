/**
 * What one run printed, on both its streams, up to a limit: beyond it the beginning and the end are
 * kept, for a program that fails says why at its end.
 *
 * Kept as bytes in one buffer: whatever an algorithm prints leaves nothing for the collector.
 * @module
 */

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
  const finishers: (() => void)[] = [];
  let shown = 0;

  return {
    writer() {
      const lines = createLineWriter(kept.add);
      finishers.push(lines.finish);
      const decoder = new TextDecoder();
      let partial = "";

      function show(bytes: Uint8Array): void {
        const text = printable(decoder.decode(bytes, { stream: true }));
        // A line that comes in many pieces is not searched again with each.
        const lines = text.split("\n");
        lines[0] = partial + lines[0];
        partial = lines.pop()!;
        if (lines.length > 0) onLines(lines);
      }

      return function write(bytes) {
        lines.write(bytes);
        const taken = bytes.subarray(0, maxBytes - shown);
        shown += taken.length;
        if (taken.length > 0) show(taken);
      };
    },
    text() {
      for (const finish of finishers) finish();
      return printable(kept.text()).replace(/\n$/, "");
    },
  };
}

const NEWLINE = 0x0a;
/** Longer lines go on their way before they end. */
const LONG_LINE = 64 * 1024;

/** The database that will hold the log cannot hold NUL. */
function printable(text: string): string {
  return text.replaceAll("\0", "\ufffd");
}

/** Keeps back the unfinished line of a stream, so that lines of two streams do not mix. */
function createLineWriter(add: (bytes: Uint8Array) => void) {
  let held = new Uint8Array();
  let length = 0;

  function pass(bytes: Uint8Array): void {
    if (length > 0) add(held.subarray(0, length));
    length = 0;
    add(bytes);
  }

  function hold(bytes: Uint8Array): void {
    if (length + bytes.length > LONG_LINE) return pass(bytes);
    if (length + bytes.length > held.length) {
      const larger = new Uint8Array(Math.min(LONG_LINE, 2 * (length + bytes.length)));
      larger.set(held.subarray(0, length));
      held = larger;
    }
    held.set(bytes, length);
    length += bytes.length;
  }

  return {
    write(bytes: Uint8Array): void {
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      if (end > 0) pass(bytes.subarray(0, end));
      if (end < bytes.length) hold(bytes.subarray(end));
    },
    finish(): void {
      if (length > 0) pass(new Uint8Array([NEWLINE]));
    },
  };
}

/** Keeps the first and the last of the bytes that are added, half of so many each. */
function createEnds(maxBytes: number) {
  const half = Math.floor(maxBytes / 2);
  let buffer = new Uint8Array();
  let size = 0;
  /** Where in the second half, which goes round and round, the oldest byte is. */
  let oldest = 0;
  let dropped = 0;

  function append(bytes: Uint8Array): void {
    if (size + bytes.length > buffer.length) {
      const larger = new Uint8Array(Math.min(maxBytes, 2 * (size + bytes.length)));
      larger.set(buffer.subarray(0, size));
      buffer = larger;
    }
    buffer.set(bytes, size);
    size += bytes.length;
  }

  function replaceOldest(bytes: Uint8Array): void {
    dropped += bytes.length;
    const ring = buffer.subarray(half);
    let rest = bytes.subarray(Math.max(0, bytes.length - ring.length));
    while (rest.length > 0) {
      const some = rest.subarray(0, ring.length - oldest);
      ring.set(some, oldest);
      oldest = (oldest + some.length) % ring.length;
      rest = rest.subarray(some.length);
    }
  }

  return {
    add(bytes: Uint8Array): void {
      const room = maxBytes - size;
      if (room > 0) append(bytes.subarray(0, room));
      if (bytes.length > room) replaceOldest(bytes.subarray(room));
    },
    text(): string {
      const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      if (dropped === 0) return decode(buffer.subarray(0, size));
      const ring = buffer.subarray(half);
      const end = new Uint8Array(ring.length);
      end.set(ring.subarray(oldest));
      end.set(ring.subarray(0, oldest), ring.length - oldest);
      const note = `[The log was cut here: the node keeps ${maxBytes} bytes of it; ` +
        `${dropped} bytes are missing.]`;
      // A letter that was cut in two goes.
      const first = decode(buffer.subarray(0, half)).replace(/\ufffd$/, "").replace(/\n$/, "");
      return `${first}\n${note}\n${decode(end).replace(/^\ufffd+/, "")}`;
    },
  };
}
