/**
 * The hub as far as blobs are concerned, over HTTP and in memory, with connections that break off
 * where a test wants it.
 */
import { createHash } from "node:crypto";
import { createHub, type Hub } from "../../services/node/hub/hub.ts";
import { BLOB_DIGEST_HEADER } from "../../shared/node_protocol/blobs.ts";
import { silentLogger } from "../../shared/service/log.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface BlobHub {
  hub: Hub;
  blobs: Map<string, Bytes>;
  /** Each request, `GET /blobstream/…`, with the range that it asked for. */
  asked: string[];
  /** Bytes after which the next downloads break off, one for each. */
  breaks: number[];
  /** Whether it serves ranges. */
  ranges: boolean;
  /** What the headers of a download say instead of what is right. */
  lies: { sha256?: string; digestOfUpload?: string };
  /** Answers whatever else is asked. */
  answer: (request: Request, path: string) => Response | Promise<Response>;
  add(content: Bytes): string;
  stop(): Promise<void>;
}

export const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

export function startBlobHub(): BlobHub {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const path = new URL(request.url).pathname.replace("/api", "") + new URL(request.url).search;
    if (path === "/token/node") {
      const claims = new TextEncoder().encode(JSON.stringify({ sub: 7, exp: 4e9 })).toBase64();
      return Response.json({ access_token: `e30.${claims}.x` });
    }
    const range = request.headers.get("range");
    it.asked.push([request.method, path, ...range ? [range] : []].join(" "));
    if (request.method === "POST" && path === "/blobstream") {
      const content = new Uint8Array(await request.arrayBuffer());
      const sha256 = it.lies.digestOfUpload ?? digestOf(content);
      delete it.lies.digestOfUpload;
      const headers = { [BLOB_DIGEST_HEADER]: sha256 };
      return Response.json({ uuid: it.add(content) }, { status: 201, headers });
    }
    const blob = it.blobs.get(/^\/blobstream\/([0-9a-f-]{36})$/.exec(path)?.[1] ?? "");
    if (!blob) return await it.answer(request, path);
    const from = range && it.ranges ? Number(/^bytes=(\d+)-$/.exec(range)![1]) : 0;
    return new Response(pieces(blob.subarray(from), it.breaks.shift()), {
      status: from > 0 ? 206 : 200,
      headers: {
        "content-length": String(blob.length - from),
        [BLOB_DIGEST_HEADER]: it.lies.sha256 ?? digestOf(blob),
      },
    });
  });
  const it: BlobHub = {
    hub: createHub({
      api: `http://127.0.0.1:${server.addr.port}/api`,
      apiKey: "k",
      payloadFormats: [],
      log: silentLogger,
    }),
    blobs: new Map(),
    asked: [],
    breaks: [],
    ranges: true,
    lies: {},
    answer: (request, path) =>
      Response.json({ msg: `no ${request.method} ${path}` }, { status: 404 }),
    add(content) {
      const id = crypto.randomUUID();
      it.blobs.set(id, content);
      return id;
    },
    stop: () => server.shutdown(),
  };
  return it;
}

function pieces(content: Bytes, breakAfter = Infinity): ReadableStream<Bytes> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= breakAfter) return controller.error(new Error("broken off"));
      if (at === content.length) return controller.close();
      const piece = content.slice(at, Math.min(at + 10_000, breakAfter));
      at += piece.length;
      controller.enqueue(piece);
    },
  }, { highWaterMark: 0 });
}
