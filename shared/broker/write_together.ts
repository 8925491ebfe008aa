/**
 * Writing to a socket what is sent in one turn of the event loop: one system call instead of one
 * for each message.
 * @module
 */
import { setImmediate } from "node:timers";

export interface Writer {
  /** Written at the end of the turn, or at once when much waits. */
  send(data: ArrayBufferLike): void;
  /** Writes what waits. */
  flush(): void;
}

const FLUSH_BYTES = 64 * 1024;

/** `write` is called with one piece of bytes that holds all that waited, in order. */
export function writeTogether(
  write: (bytes: ArrayBuffer | Uint8Array<ArrayBuffer>) => void,
): Writer {
  let pending: ArrayBufferLike[] = [];
  let pendingBytes = 0;

  function flush() {
    const parts = pending;
    pending = [];
    pendingBytes = 0;
    if (parts.length === 0) return;
    write(parts.length === 1 ? parts[0]! as ArrayBuffer : joinAll(parts));
  }
  return {
    send(data) {
      if (pending.length === 0) setImmediate(flush);
      pending.push(data);
      pendingBytes += data.byteLength;
      if (pendingBytes >= FLUSH_BYTES) flush();
    },
    flush,
  };
}

function joinAll(parts: ArrayBufferLike[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    out.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return out;
}
