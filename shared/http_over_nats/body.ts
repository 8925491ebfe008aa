/**
 * One body on its way: read in chunks, sent within a window, received in order.
 * @module
 */
import { CHUNK, encodeFrame, type Frame, KIND, type Kind, WINDOW } from "./frames.ts";

/** How long to wait for more before sending less than a whole chunk, in milliseconds. */
const PATIENCE_MS = 10;
const MICROTASKS = 10;

/** Up to one chunk of a body, in the pieces it was read in. */
export interface Piece {
  parts: Uint8Array[];
  size: number;
  /** The body ends with this piece. */
  done: boolean;
}

export interface ChunkReader {
  /**
   * What there is, up to one chunk. The first call returns soon, perhaps with nothing; others wait
   * for something.
   */
  next(): Promise<Piece>;
  cancel(reason: unknown): void;
}

export function readChunks(stream: ReadableStream<Uint8Array>): ChunkReader {
  const reader = stream.getReader();
  let pending: Promise<ReadableStreamReadResult<Uint8Array>> | undefined;
  let left: Uint8Array | undefined;
  let first = true;

  async function next(): Promise<Piece> {
    const parts: Uint8Array[] = [];
    let size = 0;
    let done = false;
    while (size < CHUNK && !done) {
      if (!left) {
        pending ??= reader.read();
        const result = size > 0 || first ? await soon(pending) : await pending;
        if (!result) break;
        pending = undefined;
        done = result.done;
        left = result.value;
        continue;
      }
      const part = left.subarray(0, CHUNK - size);
      left = part.length < left.length ? left.subarray(part.length) : undefined;
      parts.push(part);
      size += part.length;
    }
    first = false;
    return { parts, size, done };
  }
  return {
    next,
    cancel(reason) {
      reader.cancel(reason).catch(() => {});
      pending?.catch(() => {});
    },
  };
}

/** The result of a read, or `undefined` when it takes longer than a moment. */
async function soon<Result>(promise: Promise<Result>): Promise<Result | undefined> {
  let settled = false;
  const done = promise.finally(() => settled = true);
  // Most bodies are in memory: they come without the event loop turning, and need no timer.
  for (let turn = 0; turn < MICROTASKS && !settled; turn++) await null;
  if (settled) return await done;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const moment = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, undefined);
  });
  try {
    return await Promise.race([done, moment]);
  } finally {
    clearTimeout(timer);
  }
}

export interface Sender {
  /** How many DATA frames have been sent. */
  readonly sent: number;
  /** END has been sent. */
  readonly done: boolean;
  /**
   * Sends the rest of a body; resolves after its END, rejects when the body fails or `fail` was
   * called.
   */
  run(body: ChunkReader): Promise<void>;
  /** The other side accepts this many DATA frames in all. */
  grant(credit: number): void;
  fail(reason: unknown): void;
}

/** `send` publishes a frame of this kind with this number. */
export function createSender(
  send: (kind: Kind, seq: number, parts: Uint8Array[]) => void,
): Sender {
  let sent = 0;
  let done = false;
  let granted = WINDOW;
  let failed: { reason: unknown } | undefined;
  let wake = () => {};
  function check() {
    if (failed) throw failed.reason;
  }
  return {
    get sent() {
      return sent;
    },
    get done() {
      return done;
    },
    async run(body) {
      for (;;) {
        const piece = await body.next();
        check();
        if (piece.size > 0) {
          while (sent >= granted) {
            await new Promise<void>((resolve) => wake = resolve);
            check();
          }
          send(KIND.data, sent++, piece.parts);
        }
        if (!piece.done) continue;
        done = true;
        return send(KIND.end, sent, []);
      }
    },
    grant(credit) {
      if (credit <= granted) return;
      granted = credit;
      wake();
    },
    fail(reason) {
      failed ??= { reason };
      wake();
    },
  };
}

export interface Receiver {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** How many DATA frames the other side may send in all. */
  readonly credit: number;
  /** Everything has arrived, though perhaps not been read. */
  readonly complete: boolean;
  /**
   * Takes a frame in. Returns what is wrong when one before it was lost or the window was overrun;
   * a frame that came already is passed over.
   */
  take(frame: Pick<Frame, "kind" | "seq" | "rest">): string | undefined;
  fail(reason: unknown): void;
}

export interface ReceiverOptions {
  /** Called when the window has moved on enough to tell the other side. */
  onCredit: () => void;
  /** Called when the reader wants no more. */
  onCancel: (reason: unknown) => void;
  /** Bytes that have arrived already. */
  first?: Uint8Array;
}

export function createReceiver({ onCredit, onCancel, first }: ReceiverOptions): Receiver {
  const queue: Uint8Array<ArrayBuffer>[] = [];
  let expected = 0;
  let read = 0;
  let told = 0;
  let complete = false;
  let failed: { reason: unknown } | undefined;
  let wake = () => {};
  let head = first && first.length > 0 ? first as Uint8Array<ArrayBuffer> : undefined;

  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      if (head) {
        controller.enqueue(head);
        head = undefined;
        return;
      }
      while (queue.length === 0 && !complete && !failed) {
        await new Promise<void>((resolve) => wake = resolve);
      }
      if (failed) return controller.error(failed.reason);
      const chunk = queue.shift();
      if (!chunk) return controller.close();
      controller.enqueue(chunk);
      read++;
      if (complete && queue.length === 0) return controller.close();
      if (!complete && read - told >= WINDOW / 2) {
        told = read;
        onCredit();
      }
    },
    cancel(reason) {
      queue.length = 0;
      onCancel(reason);
    },
  }, { highWaterMark: 0 });

  return {
    stream,
    get credit() {
      return read + WINDOW;
    },
    get complete() {
      return complete;
    },
    take({ kind, seq, rest }) {
      if (complete || failed || seq < expected) return undefined;
      if (seq > expected) return `${seq - expected} message(s) of the body were lost`;
      if (kind === KIND.data) {
        if (expected >= read + WINDOW) return "more of the body came than was asked for";
        expected++;
        queue.push(rest as Uint8Array<ArrayBuffer>);
      } else if (kind === KIND.end) {
        complete = true;
      }
      wake();
      return undefined;
    },
    fail(reason) {
      if (complete) return;
      failed ??= { reason };
      wake();
    },
  };
}

/** A frame without body. */
export function control(
  kind: Kind,
  sender: Sender | undefined,
  receiver: Receiver | undefined,
  rest: Uint8Array = new Uint8Array(),
): Uint8Array {
  return encodeFrame(kind, {
    seq: sender?.sent ?? 0,
    credit: receiver?.credit ?? WINDOW,
  }, rest);
}
