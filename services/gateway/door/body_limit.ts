/**
 * How much of a body is taken, and how slowly it may come.
 *
 * A body is read whole before anybody asks whose it is: who lost a right while sending has lost it.
 * Only what is uploaded on its own passes as a stream.
 * @module
 */
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../../../shared/contract/app.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { HeldBody } from "./held_bytes.ts";

/** The most bytes of a body. */
export interface BodyLimit {
  bytes: number;
  /** The variable that sets it, for the operator who reads the refusal. */
  setting?: string;
}

function tooLarge({ bytes, setting }: BodyLimit): SextantError {
  const size = bytes < 2 ** 20 ? `${bytes / 1024} KiB` : `${Math.floor(bytes / 2 ** 20)} MiB`;
  return new SextantError(
    "payload_too_large",
    `The body is larger than ${size}.` +
      (setting ? ` The hub's operator sets it: ${setting}.` : ""),
  );
}

function demandDeclaredFits(request: Request, limit: BodyLimit): void {
  if (Number(request.headers.get("content-length") ?? 0) > limit.bytes) throw tooLarge(limit);
}

export interface LimitBodyOptions {
  limit: BodyLimit;
  /** How long it may pause, and be behind 8 KiB a second, wherever it is. Milliseconds. */
  patienceMs?: number;
  /** What this throws fails the body at its end. */
  atEnd: () => Promise<void>;
}

/**
 * The request with a body that fails once more than `limit` has passed, when it comes too slowly,
 * and with what `atEnd` throws once all of it has. A body whose declared length is too large is
 * refused at once. Time in which nobody takes what has come does not count.
 *
 * `hono/body-limit` is not used: it reads a body that does not declare its length whole into
 * memory, and one of `/blobstream` may have gigabytes.
 */
export function limitBody(
  request: Request,
  { limit, patienceMs = PATIENCE_MS, atEnd }: LimitBodyOptions,
): Request {
  demandDeclaredFits(request, limit);
  const reader = request.body?.getReader();
  if (!reader) return request;
  const read = paced(reader, { patienceMs, slowest: SLOWEST_STREAM });
  let passed = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await read();
        if (done) {
          await atEnd();
          return controller.close();
        }
        passed += value.length;
        if (passed > limit.bytes) throw tooLarge(limit);
        controller.enqueue(value);
      } catch (error) {
        reader.cancel(error).catch(() => {});
        throw error;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return new Request(request, { body });
}

export interface ReadBodyOptions {
  limit: BodyLimit;
  /** How long it may pause, and be behind 64 KiB a second, wherever it is. Milliseconds. */
  patienceMs?: number;
  /** Is told of what comes; what it took is the caller's to give back, whatever happens. */
  held?: HeldBody;
}

/** Bytes that a slow line must bring in a second. */
const SLOWEST = 64 * 1024;
/** The same of what is uploaded on its own: a large result must get out of any hospital. */
const SLOWEST_STREAM = 8 * 1024;
const PATIENCE_MS = 30_000;

/** A body in memory. */
export interface WholeBody {
  chunks: Uint8Array<ArrayBuffer>[];
  size: number;
}

/**
 * Reads the body of a request whole. Throws 413 for one that is too large, 408 for one that comes
 * too slowly, 400 when it breaks off, and 503 when the hub holds too many.
 */
export async function readBody(
  request: Request,
  { limit, patienceMs = PATIENCE_MS, held }: ReadBodyOptions,
): Promise<WholeBody> {
  demandDeclaredFits(request, limit);
  const body: WholeBody = { chunks: [], size: 0 };
  const reader = request.body?.getReader();
  if (!reader) return body;
  const read = paced(reader, { patienceMs, slowest: SLOWEST });
  try {
    for (;;) {
      const { done, value } = await read();
      if (done) return body;
      if (body.size + value.length > limit.bytes) throw tooLarge(limit);
      held?.take(value.length);
      body.chunks.push(value as Uint8Array<ArrayBuffer>);
      body.size += value.length;
    }
  } catch (cause) {
    reader.cancel().catch(() => {});
    if (cause instanceof SextantError) throw cause;
    throw new SextantError("invalid_request", "The request broke off within its body.", { cause });
  }
}

interface Pace {
  patienceMs: number;
  /** Bytes a second. */
  slowest: number;
}

/** Reads piece by piece; throws 408 when what is waited for is too slow. */
function paced(reader: ReadableStreamDefaultReader<Uint8Array>, pace: Pace) {
  let left = pace.patienceMs;
  return async function read() {
    const began = performance.now();
    const piece = await within(left, reader.read(), pace);
    left -= performance.now() - began;
    // Never more than from the beginning: who has sent much may not stop for long.
    left = Math.min(left + (piece.value?.length ?? 0) / pace.slowest * 1000, pace.patienceMs);
    return piece;
  };
}

async function within<Result>(
  dueMs: number,
  reading: Promise<Result>,
  pace: Pace,
): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(tooSlow(pace)), Math.max(0, dueMs));
  try {
    return await Promise.race([reading, late.promise]);
  } finally {
    clearTimeout(timer);
    reading.catch(() => {}); // it fails too, once it is cancelled
  }
}

function tooSlow({ patienceMs, slowest }: Pace): SextantError {
  return new SextantError(
    "request_timeout",
    `The body did not arrive in time: within ${patienceMs / 1000} seconds, and of a longer one ` +
      `${slowest / 1024} KiB in each further second. Send it again on a faster line, or what is ` +
      "large in a blob.",
  );
}

/** The request with the body that was read of it. */
export function withBody(request: Request, { chunks }: WholeBody): Request {
  const { url, method, headers, signal } = request;
  if (chunks.length === 0) return new Request(url, { method, headers, signal });
  const left = [...chunks];
  chunks.length = 0; // each is let go of as it is passed on
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const chunk = left.shift();
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
  }, { highWaterMark: 0 });
  return new Request(url, {
    method,
    headers,
    signal,
    body: left.length === 1 ? left[0]! : stream,
  });
}

/** Routes that take names, passwords and tokens, most of them from strangers. */
const SECRETS = /^\/api\/(?:token|recover|password)\//;
const SECRETS_LIMIT: BodyLimit = { bytes: 16 * 1024 };

/** Reads the body of log-in, recovery and password routes: no more than 16 KiB of it. */
export function limitSecrets(patienceMs?: number): MiddlewareHandler<AppEnv> {
  const options = { limit: SECRETS_LIMIT, ...(patienceMs === undefined ? {} : { patienceMs }) };
  return async function limitSecret(c, next) {
    const { raw } = c.req;
    if (raw.body && SECRETS.test(c.req.path)) {
      c.req.raw = withBody(raw, await readBody(raw, options));
    }
    await next();
  };
}
