/**
 * Large inputs and results of subtasks, as algorithms with tools from 4.13 on send and fetch them
 * (HTTP contract §3.11, §7.4): the algorithm's side is the content itself, the hub's side is
 * encrypted, or base64 where nothing is.
 * @module
 */
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import {
  BLOB_ID,
  blobStatusSchema,
  uploadedBlobSchema,
} from "../../../../shared/node_protocol/blobs.ts";
import type { Logger } from "../../../../shared/service/log.ts";
import { createTurns, takeTurn } from "../../../../shared/service/turns.ts";
import { isSameKey, KeyError, readPublicKey } from "../../encryption/keys.ts";
import { openPieces, sealPieces } from "../../encryption/opening.ts";
import { UnreadableError } from "../../../../shared/payload/unreadable_error.ts";
import { persist } from "../../hub/persist.ts";
import { type Hub, HubError } from "../../hub/hub.ts";
import {
  type ContentFile,
  piecesOf,
  readPieces,
  streamOf,
  TooLargeError,
  writePieces,
} from "../../payload/pieces.ts";
import type { Correspondence } from "../correspondence.ts";
import type { Access } from "../grant.ts";
import type { PayloadCodec } from "../payload_codec.ts";
import type { Subtasks } from "../subtasks.ts";
import type { ProxyContext } from "./turns.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type ProxyRequest = Context<{ Bindings: ProxyContext }>;

export interface SentBlob {
  bytes: number;
  sha256: string;
  /** Of the organizations that share the key. */
  organization_ids?: number[];
  /** The fingerprint of the key that it is encrypted with; `null` where nothing is. */
  key: string | null;
}

/** What is a run's own about its blobs. */
export interface RunBlobs {
  /** A folder that the run itself does not see. */
  folder: string;
  /** The largest that it may upload. */
  maxBytes: number;
  /** Told before an upload leaves. */
  onInput: (blob: SentBlob) => Promise<void>;
}

export interface BlobRoutesOptions extends RunBlobs {
  hub: Hub;
  access: () => Promise<Access>;
  subtasks: Pick<Subtasks, "get">;
  codec: PayloadCodec;
  correspondence: Pick<Correspondence, "uploaded" | "wantedIn">;
  signal: AbortSignal;
  log: Logger;
}

export interface BlobRoutes {
  routes: Hono<{ Bindings: ProxyContext }>;
  /** Whether this algorithm has shown that it knows blobs, and the hub wants them. */
  areKnown(): Promise<boolean>;
}

export function createBlobRoutes(
  { folder, maxBytes, onInput, hub, access, subtasks, codec, correspondence, signal, log }:
    BlobRoutesOptions,
): BlobRoutes {
  const path = join(folder, "blob");
  let known = false;
  /** A run has one file for its blobs, or it could fill the disk with them. */
  const inTurn = createTurns(1);

  async function isEnabled(): Promise<boolean> {
    return (await subtasks.get("/blobstream/status", blobStatusSchema)).blob_store_enabled;
  }

  async function receive(c: ProxyRequest) {
    const readers = codec.encrypted
      ? await readersOf(c.req.header("x-public-key"), { access, subtasks })
      : null;
    const seal = await codec.blobSeal(readers);
    return await inTurn(async () => {
      try {
        // Through a file, so that a hub that restarts meanwhile can be sent everything once more.
        const content = sealPieces(piecesOf(c.req.raw.body), seal);
        const sealed = await writePieces(path, content, { maxBytes });
        await onInput({
          bytes: sealed.size,
          sha256: sealed.sha256,
          ...(readers ? { organization_ids: readers.organizationIds } : {}),
          key: seal.key,
        });
        const uuid = await upload(sealed, { hub, access, signal, log });
        await correspondence.uploaded(uuid, seal.header);
        return c.json({ uuid }, 201);
      } catch (error) {
        if (!(error instanceof TooLargeError)) throw error;
        const most = maxBytes / 2 ** 20;
        const message = `The input is larger than the ${most} MiB that a run may write.`;
        throw new HTTPException(413, { message });
      } finally {
        await Deno.remove(path).catch(() => {});
      }
    });
  }

  async function give(c: ProxyRequest, id: string) {
    const { token } = await access();
    const opener = codec.opener(correspondence.wantedIn(id));
    const content = openPieces(hub.download(id, { token, signal }), opener);
    const headers = { "content-type": "application/octet-stream" };
    try {
      const first = await content.next();
      const whole = after(first, content);
      if (!opener.authenticated) return c.body(streamOf(whole), 200, headers);
      return c.body(await throughFile(whole, c.env), 200, headers);
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      log.warn("A blob cannot be read", { blob_id: id, reason: error.message });
      throw new HTTPException(422, { message: `The blob cannot be read: ${error.message}.` });
    }
  }

  /** Content of which nothing may be delivered before all of it has come and is confirmed. */
  async function throughFile(
    content: AsyncGenerator<Bytes>,
    { completed }: ProxyContext,
  ): Promise<ReadableStream<Bytes>> {
    const release = await takeTurn(inTurn);
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

  const routes = new Hono<{ Bindings: ProxyContext }>();
  routes.get("/blobstream/status", async function blobStatus(c) {
    known = true;
    return c.json({ blob_store_enabled: await isEnabled() });
  });
  routes.post("/blobstream", async function uploadBlob(c) {
    known = true;
    return await receive(c);
  });
  routes.get(`/blobstream/:id{${BLOB_ID}}`, async function downloadBlob(c) {
    known = true;
    return await give(c, c.req.param("id"));
  });

  return {
    routes,
    async areKnown() {
      return known && await isEnabled();
    },
  };
}

/**
 * Sends the hub a blob that lies in a file, again and again until it has it; gives the blob's id.
 */
async function upload(
  { path, size }: ContentFile,
  { hub, access, signal, log }: Pick<BlobRoutesOptions, "hub" | "access" | "signal" | "log">,
): Promise<string> {
  const { token } = await access();
  const request = () =>
    hub.request("/blobstream", uploadedBlobSchema, {
      method: "POST",
      token,
      content: { size, pieces: () => readPieces(path) },
      timeoutMs: 3_600_000,
      signal,
    });
  const { uuid } = await persist(request, {
    what: "upload the input of a subtask",
    log,
    signal,
    retryable: (error) => error instanceof HubError && error.retryable,
  });
  return uuid;
}

/**
 * For whom an algorithm wants its input encrypted: by the key of an organization that it may ask to
 * compute.
 */
async function readersOf(
  publicKey: string | undefined,
  { access, subtasks }: Pick<BlobRoutesOptions, "access" | "subtasks">,
): Promise<{ key: KeyObject; organizationIds: number[] }> {
  if (!publicKey) {
    throw new HTTPException(400, {
      message: "X-Public-Key is missing: this collaboration is encrypted.",
    });
  }
  const key = readKey(publicKey);
  const { grant } = await access();
  const schema = z.object({
    data: z.array(z.object({ id: z.number().int(), public_key: z.string().nullish() })),
  });
  const members = `/organization?collaboration_id=${grant.collaboration_id}`;
  const { data } = await subtasks.get(members, schema);
  const organizationIds = data
    .filter(({ public_key }) => public_key && isKey(public_key, key))
    .map(({ id }) => id);
  if (organizationIds.length > 0) return { key, organizationIds };
  throw new HTTPException(400, {
    message: "X-Public-Key is the key of no organization in this collaboration.",
  });
}

function readKey(text: string): KeyObject {
  try {
    return readPublicKey(text);
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    throw new HTTPException(400, { message: `X-Public-Key is wrong: ${error.message}.` });
  }
}

function isKey(text: string, key: KeyObject): boolean {
  try {
    return isSameKey(readPublicKey(text), key);
  } catch {
    return false;
  }
}

async function* after(
  first: IteratorResult<Bytes, void>,
  rest: AsyncGenerator<Bytes>,
): AsyncGenerator<Bytes> {
  if (!first.done) yield first.value;
  yield* rest;
}
