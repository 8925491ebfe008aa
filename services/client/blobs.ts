/**
 * Large payloads, which go to the hub and come from it on their own.
 * @module
 */
import { blobStatusSchema, uploadedBlobSchema } from "../../shared/node_protocol/blobs.ts";
import { messageOf } from "../../shared/service/errors.ts";
import type { Calls } from "./calls.ts";
import { ClientError } from "./errors.ts";
import { type Bytes, piecesOfStream, streamOf } from "./payloads/bytes.ts";
import { delay } from "./transport.ts";

export interface BlobOptions {
  signal?: AbortSignal | undefined;
}

export interface Blobs {
  /** Whether every input has to be uploaded on its own. */
  required(): Promise<boolean>;
  /** The id of what was uploaded; `content` makes it anew each time that it is sent. */
  upload(content: () => AsyncGenerator<Bytes>, options?: BlobOptions): Promise<string>;
  /** What was uploaded; goes on where it was cut off. */
  download(id: string, options?: BlobOptions): AsyncGenerator<Bytes>;
}

/** Cuts of one download that are mended. */
const CUTS = 5;
const PAUSE_MS = 300;

export function createBlobs(
  calls: Calls,
  /** Whether bodies can be sent as they are made. Browsers collect them in a `Blob` first. */
  { streams = canStream() }: { streams?: boolean } = {},
): Blobs {
  let status: Promise<boolean> | undefined;

  async function* download(id: string, { signal }: BlobOptions = {}): AsyncGenerator<Bytes> {
    let at = 0;
    let size: number | undefined;
    for (let cuts = 0;; cuts++) {
      const response = await calls.open("GET", `/blobstream/${id}`, {
        headers: {
          accept: "application/octet-stream",
          ...(at === 0 ? {} : { range: `bytes=${at}-` }),
        },
        signal,
        patienceMs: Infinity,
      });
      // A hub that knows no ranges begins anew.
      let skip = response.status === 206 ? 0 : at;
      const length = response.headers.get("content-length");
      if (length && !response.headers.has("content-encoding")) size ??= Number(length);
      try {
        for await (const piece of piecesOfStream(response.body!)) {
          const fresh = piece.subarray(skip);
          skip = Math.max(0, skip - piece.length);
          at += fresh.length;
          if (fresh.length > 0) yield fresh;
        }
        if (size === undefined || at >= size) return;
        throw new Error("the connection was closed");
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (cuts < CUTS) {
          await delay(PAUSE_MS * 2 ** cuts, signal);
          continue;
        }
        throw new ClientError(`Cannot download ${id}: ${messageOf(error)}`, { cause: error });
      }
    }
  }

  return {
    required() {
      status ??= calls.json("GET", "/blobstream/status", blobStatusSchema)
        .then(({ blob_store_enabled }) => blob_store_enabled)
        .catch((error) => {
          status = undefined;
          throw error;
        });
      return status;
    },
    async upload(content, { signal } = {}) {
      const whole = streams ? undefined : await new Response(streamOf(content())).blob();
      const { uuid } = await calls.json("POST", "/blobstream", uploadedBlobSchema, {
        content: () => whole ?? streamOf(content()),
        headers: { "content-type": "application/octet-stream" },
        signal,
        patienceMs: Infinity,
      });
      return uuid;
    },
    download,
  };
}

/** Deno and Node.js send a body as it is made; of browsers one, over HTTP/2 alone. */
function canStream(): boolean {
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  return navigator === undefined || /^(Deno|Node\.js)\//.test(navigator.userAgent ?? "");
}
