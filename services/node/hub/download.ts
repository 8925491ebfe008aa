/**
 * Fetching large content through broken connections: each goes on where the one before it ended.
 * @module
 */
import { createHash } from "node:crypto";
import { BLOB_DIGEST_HEADER } from "../../../shared/node_protocol/blobs.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { orAbort } from "../../../shared/service/or_abort.ts";
import { discard } from "../payload/pieces.ts";
import { persist } from "./persist.ts";
import { HubError, WrongKeyError } from "./error.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A connection on which nothing has come for so long is given up. */
const SILENCE_MS = 60_000;

export interface DownloadOptions {
  /** Names it, for messages. */
  what: string;
  /**
   * Asks for the content from this byte on; an answer with the status 200 has all of it
   * nevertheless.
   */
  open: (from: number, signal: AbortSignal) => Promise<Response>;
  log: Logger;
  signal: AbortSignal;
  /** Asked after each connection that broke off: whether to make no more. */
  giveUp?: (() => boolean) | undefined;
  silenceMs?: number;
}

/**
 * The content as it comes. Throws a {@linkcode HubError} when it is refused, or when what has come
 * is not, in the end, what the headers `content-length` and `x-content-sha256` said.
 */
export async function* download(
  { what, open, log, signal, giveUp, silenceMs = SILENCE_MS }: DownloadOptions,
): AsyncGenerator<Bytes> {
  const hash = createHash("sha256");
  let done = 0;
  let expected: Expected | undefined;
  let connection: Connection | undefined;
  /** The next piece that has not come before; `undefined` at the end. */
  async function next(): Promise<Bytes | undefined> {
    try {
      connection ??= await connect({ from: done, open, signal, silenceMs });
      expected ??= connection.expected;
      if (connection.expected.sha256 !== expected.sha256) {
        throw new HubError(`Cannot fetch ${what}: it has changed meanwhile`, 409);
      }
      const piece = await connection.read();
      if (!piece && done < (expected.size ?? 0)) throw new HubError("the connection broke off");
      return piece;
    } catch (error) {
      connection?.close();
      connection = undefined;
      throw error;
    }
  }
  try {
    for (;;) {
      const piece = await persist(next, {
        what: `fetch ${what}`,
        log,
        signal,
        retryable: (error) => error instanceof HubError && error.retryable && !giveUp?.(),
      });
      if (!piece) break;
      hash.update(piece);
      done += piece.length;
      yield piece;
      discard(piece);
    }
    const { size, sha256 } = expected!;
    if ((size !== null && done !== size) || (sha256 !== null && hash.digest("hex") !== sha256)) {
      throw new HubError(`Cannot fetch ${what}: what came is not what the hub has`, 422);
    }
  } finally {
    connection?.close();
  }
}

/** What the headers say of the whole. */
interface Expected {
  size: number | null;
  sha256: string | null;
}

interface Connection {
  expected: Expected;
  read(): Promise<Bytes | undefined>;
  close(): void;
}

async function connect(
  { from, open, signal, silenceMs }: Pick<DownloadOptions, "open" | "signal"> & {
    from: number;
    silenceMs: number;
  },
): Promise<Connection> {
  const silent = new AbortController();
  const either = AbortSignal.any([signal, silent.signal]);
  async function unlessSilent<T>(promise: Promise<T>): Promise<T> {
    const error = new Error(`nothing came for ${silenceMs / 1000} s`);
    const timer = setTimeout(() => silent.abort(error), silenceMs);
    try {
      return await orAbort(promise, either);
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof HubError || cause instanceof WrongKeyError) throw cause;
      throw new HubError(`Cannot reach the hub: ${messageOf(cause)}`, undefined, { cause });
    } finally {
      clearTimeout(timer);
    }
  }
  const { status, headers, body } = await unlessSilent(open(from, either));
  const reader = body?.getReader() as ReadableStreamDefaultReader<Bytes> | undefined;
  // Whoever does not know ranges sends everything; what has come before is passed over.
  let skip = status === 206 ? 0 : from;
  const length = headers.get("content-length");
  return {
    expected: {
      size: length === null ? null : Number(length) + (status === 206 ? from : 0),
      sha256: headers.get(BLOB_DIGEST_HEADER),
    },
    async read() {
      for (;;) {
        const value = reader && (await unlessSilent(reader.read())).value;
        if (!value || skip === 0) return value;
        const passed = Math.min(skip, value.length);
        skip -= passed;
        if (passed < value.length) return value.subarray(passed);
      }
    },
    close: () => void reader?.cancel().catch(() => {}),
  };
}
