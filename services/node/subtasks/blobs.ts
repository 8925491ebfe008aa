/**
 * Large inputs and results of subtasks, as algorithms with tools from 4.13 on send and fetch them (HTTP contract §3.11,
 * §7.4): the algorithm's side is the content itself, the hub's side is encrypted, or base64 where nothing is.
 * @module
 */
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import {
  BLOB_ID,
  blobStatusSchema,
  uploadedBlobSchema,
} from "../../../shared/node_protocol/blobs.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { isSameKey, KeyError, readPublicKey } from "../encryption/keys.ts";
import { openPieces, sealPieces } from "../encryption/opening.ts";
import { UnreadableError } from "../encryption/sealed.ts";
import { persist } from "../hub/backoff.ts";
import { type Hub, HubError } from "../hub/hub.ts";
import { piecesOf, readPieces, streamOf, TooLargeError, writePieces } from "../payload/pieces.ts";
import type { PayloadCodec } from "./payload_codec.ts";
import type { Grant } from "./token.ts";
import { createTurns, type ProxyContext } from "./turns.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What is a run's own about its blobs. */
export interface ProxyBlobs {
  /** A folder that the run itself does not see. */
  folder: string;
  /** The largest that it may upload. */
  maxBytes: number;
  /** Told before an upload leaves. */
  onInput: (blob: { bytes: number; sha256: string }) => Promise<void>;
}

export interface CreateBlobsOptions extends ProxyBlobs {
  hub: Hub;
  access: () => Promise<{ token: string; grant: Grant }>;
  codec: PayloadCodec;
  signal: AbortSignal;
  log: Logger;
}

export interface Blobs {
  routes: Hono<{ Bindings: ProxyContext }>;
  /** Whether this algorithm has shown that it knows blobs, and the hub wants them. */
  areKnown(): Promise<boolean>;
}

export function createBlobs(
  { folder, maxBytes, onInput, hub, access, codec, signal, log }: CreateBlobsOptions,
): Blobs {
  const routes = new Hono<{ Bindings: ProxyContext }>();
  const path = join(folder, "blob");
  let known = false;
  /** A run has one file for its blobs, or it could fill the disk with them. */
  const takeTurn = createTurns();

  async function isEnabled(): Promise<boolean> {
    const { token } = await access();
    return (await hub.insist("/blobstream/status", blobStatusSchema, { token, signal }))
      .blob_store_enabled;
  }

  /** For whom an algorithm wants its input encrypted: by the key of an organization that it may ask to compute. */
  async function readersOf(
    text: string | undefined,
  ): Promise<{ key: KeyObject; organizationIds: number[] }> {
    if (!text) {
      throw new HTTPException(400, {
        message: "X-Public-Key is missing: this collaboration is encrypted.",
      });
    }
    let key: KeyObject;
    try {
      key = readPublicKey(text);
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      throw new HTTPException(400, { message: `X-Public-Key is wrong: ${error.message}.` });
    }
    const { token, grant } = await access();
    const schema = z.object({
      data: z.array(z.object({ id: z.number().int(), public_key: z.string().nullish() })),
    });
    const members = `/organization?collaboration_id=${grant.collaboration_id}`;
    const { data } = await hub.insist(members, schema, { token, signal });
    const organizationIds = data
      .filter(({ public_key }) => public_key && isKey(public_key, key))
      .map(({ id }) => id);
    if (organizationIds.length > 0) return { key, organizationIds };
    throw new HTTPException(400, {
      message: "X-Public-Key is the key of no organization in this collaboration.",
    });
  }

  /** Content of which nothing may be delivered before all of it has come and is confirmed. */
  async function throughFile(
    content: AsyncGenerator<Bytes>,
    { completed }: ProxyContext,
  ): Promise<ReadableStream<Bytes>> {
    const release = await takeTurn();
    function end() {
      Deno.remove(path).catch(() => {}).finally(release);
    }
    try {
      await writePieces(path, content);
    } catch (error) {
      end();
      throw error;
    }
    completed.then(end, end);
    return streamOf(readPieces(path));
  }

  routes.get("/blobstream/status", async function blobStatus(c) {
    known = true;
    return c.json({ blob_store_enabled: await isEnabled() });
  });

  routes.post("/blobstream", async function uploadBlob(c) {
    known = true;
    const readers = codec.encrypted ? await readersOf(c.req.header("x-public-key")) : null;
    const seal = await codec.blobSeal(readers);
    const release = await takeTurn();
    try {
      // Through a file, so that a hub that restarts meanwhile can be sent everything once more.
      const content = sealPieces(piecesOf(c.req.raw.body), seal);
      const { size, sha256 } = await writePieces(path, content, { maxBytes });
      await onInput({ bytes: size, sha256 });
      const { token } = await access();
      const uuid = await persist(
        async () =>
          (await hub.request("/blobstream", uploadedBlobSchema, {
            method: "POST",
            token,
            content: { size, pieces: () => readPieces(path) },
            timeoutMs: 3_600_000,
            signal,
          })).uuid,
        {
          what: "upload the input of a subtask",
          log,
          signal,
          retryable: (error) => error instanceof HubError && error.retryable,
        },
      );
      return c.json({ uuid }, 201);
    } catch (error) {
      if (!(error instanceof TooLargeError)) throw error;
      const message = `The input is larger than the ${
        maxBytes / 2 ** 20
      } MiB that a run may write.`;
      throw new HTTPException(413, { message });
    } finally {
      await Deno.remove(path).catch(() => {});
      release();
    }
  });

  routes.get(`/blobstream/:id{${BLOB_ID}}`, async function downloadBlob(c) {
    known = true;
    const { token } = await access();
    const opener = codec.opener();
    const content = openPieces(hub.download(c.req.param("id"), { token, signal }), opener);
    const headers = { "content-type": "application/octet-stream" };
    try {
      const first = await content.next();
      const whole = after(first, content);
      if (!opener.authenticated) return c.body(streamOf(whole), 200, headers);
      return c.body(await throughFile(whole, c.env), 200, headers);
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      log.warn("A blob cannot be read", { blob_id: c.req.param("id"), reason: error.message });
      throw new HTTPException(422, { message: `The blob cannot be read: ${error.message}.` });
    }
  });

  return {
    routes,
    async areKnown() {
      return known && await isEnabled();
    },
  };
}

async function* after(
  first: IteratorResult<Bytes, void>,
  rest: AsyncGenerator<Bytes>,
): AsyncGenerator<Bytes> {
  if (!first.done) yield first.value;
  yield* rest;
}

function isKey(text: string, key: KeyObject): boolean {
  try {
    return isSameKey(readPublicKey(text), key);
  } catch {
    return false;
  }
}
