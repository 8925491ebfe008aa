/**
 * Sending large content as the body of a request.
 *
 * `fetch` in Deno sends a stream at a tenth of the speed of `node:http`, which also knows how long
 * the body is and tells when a piece has gone, so that the next one can be in the same memory.
 * @module
 */
import { createHash } from "node:crypto";
import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { BLOB_DIGEST_HEADER } from "../../../shared/node_protocol/blobs.ts";
import type { Pieces } from "../payload/pieces.ts";
import type { SocketOptions } from "./way_out.ts";

/** Content of a known size that can be read again and again. */
export interface Upload {
  size: number;
  pieces(): Pieces;
}

/** A connection on which nothing has moved for so long is given up. */
const SILENCE_MS = 120_000;

export interface UploadAnswer {
  status: number;
  text: string;
  /** The digest of what the other side has, if it says so. */
  stored: string | undefined;
  /** The digest of what was sent. */
  sent: string;
}

export async function upload(
  url: string,
  { content, way, headers, signal, silenceMs = SILENCE_MS }: {
    content: Upload;
    way: SocketOptions;
    headers: Record<string, string>;
    signal: AbortSignal;
    silenceMs?: number;
  },
): Promise<UploadAnswer> {
  signal.throwIfAborted();
  const answered = Promise.withResolvers<IncomingMessage>();
  const request = (url.startsWith("https:") ? httpsRequest : httpRequest)(url, {
    ...way,
    method: "POST",
    headers: {
      ...headers,
      "content-type": "application/octet-stream",
      "content-length": String(content.size),
    },
  }, answered.resolve);
  request.on("error", answered.reject);
  const stop = () => request.destroy(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const hash = createHash("sha256");
  const silence = new Error(`nothing moved for ${silenceMs / 1000} s`);
  let timer = setTimeout(giveUp, silenceMs);
  function giveUp() {
    answered.reject(silence);
    request.destroy(silence);
  }
  function onPiece(piece: Uint8Array) {
    hash.update(piece);
    clearTimeout(timer);
    timer = setTimeout(giveUp, silenceMs);
  }
  try {
    // A hub that refuses answers before it has everything, and then takes no more.
    send(request, content, onPiece).catch(answered.reject);
    const response = await answered.promise;
    response.setEncoding("utf8");
    let text = "";
    for await (const piece of response) text += piece;
    const stored = response.headers[BLOB_DIGEST_HEADER];
    return {
      status: response.statusCode ?? 0,
      text,
      stored: typeof stored === "string" ? stored : undefined,
      sent: hash.digest("hex"),
    };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    request.destroy();
  }
}

async function send(
  request: ClientRequest,
  content: Upload,
  onPiece: (piece: Uint8Array) => void,
): Promise<void> {
  let broken = (_: Error) => {};
  request.on("close", () => broken(new Error("the connection was closed")));
  for await (const piece of content.pieces()) {
    onPiece(piece);
    await new Promise<void>((resolve, reject) => {
      broken = reject;
      if (request.destroyed) reject(new Error("the connection was closed"));
      request.write(piece, (error) => error ? reject(error) : resolve());
    });
  }
  request.end();
}
