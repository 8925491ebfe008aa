/**
 * What an algorithm store tells a node that asks it itself: which images it has approved.
 *
 * The store is sent a token that was made for it (`POST /token/store`), never the node's own, with
 * which it could act as the node. It asks the server whose it is (`POST /token/node/validate`),
 * which takes both, and it asks only a server that it trusts, by the address in `Server-Url`.
 * @module
 */
import { z } from "zod";
import { messageOf, SextantError } from "../../../shared/service/errors.ts";
import type { Hub } from "../hub/hub.ts";
import { nameOf } from "../policy/references.ts";

/** What a store lists; only what it has approved, unless it is asked for others. */
const listing = z.object({
  data: z.array(z.object({ image: z.string(), digest: z.string().nullish() })),
});
type Listed = z.infer<typeof listing>["data"];

const API_PATH = "/api";
const MAX_BYTES = 4 * 2 ** 20;
/** v6's store has no limit of its own; 10 is its default. */
const PER_PAGE = 100;
const MAX_PAGES = 100;

/** The store answered, and does not say which algorithms it has approved. */
export class StoreRefusal extends Error {
  override name = "StoreRefusal";
  constructor(message: string, readonly status?: number) {
    super(message);
  }
}

/** The hub gives no token with which the store could be asked. */
export class NoStoreTokenError extends Error {
  override name = "NoStoreTokenError";
}

/**
 * Both throw a {@linkcode StoreRefusal} or a {@linkcode NoStoreTokenError}, which do not pass by
 * themselves, and anything else where another attempt may succeed.
 */
export interface StoreCatalogue {
  /** Whether the store has approved what an image names: by its digest, where it knows one. */
  has(storeUrl: string, image: string, signal: AbortSignal): Promise<boolean>;
  /** Asks for what little there is to ask for, to see whether the store answers this node. */
  probe(storeUrl: string, signal: AbortSignal): Promise<void>;
}

export interface CreateStoreCatalogueOptions {
  hub: Pick<Hub, "insist">;
  /** The hub's address as stores know it. */
  serverUrl: string;
  fetch: typeof globalThis.fetch;
  /** How long one answer may take. */
  timeoutMs?: number;
}

/** One answer of a store. */
interface StoreAnswer {
  status: number;
  json: unknown;
}

export function createStoreCatalogue(
  { hub, serverUrl, fetch, timeoutMs = 30_000 }: CreateStoreCatalogueOptions,
): StoreCatalogue {
  async function tokenFor(url: string, signal: AbortSignal): Promise<string> {
    try {
      const schema = z.object({ store_token: z.string() });
      const options = { method: "POST", body: { url }, signal } as const;
      return (await hub.insist("/token/store", schema, options)).store_token;
    } catch (error) {
      // The hub is insisted on: what it ends with is its last word.
      if (signal.aborted) throw error;
      throw new NoStoreTokenError(messageOf(error), { cause: error });
    }
  }

  async function get(url: string, token: string, signal: AbortSignal): Promise<StoreAnswer> {
    const response = await fetch(url, {
      headers: {
        accept: "application/json",
        authorization: `Bearer ${token}`,
        "server-url": serverUrl,
        "client-type": "node",
      },
      // It could lead to any address that this machine can reach.
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const { status } = response;
    if (status >= 300 && status < 400) {
      await response.body?.cancel();
      throw new StoreRefusal("it leads elsewhere; its address has to be where it is", status);
    }
    return { status, json: await boundedJson(response) };
  }

  /** Opens a conversation with a store; the first question tells where its API is. */
  async function askerAt(storeUrl: string, signal: AbortSignal) {
    const token = await tokenFor(storeUrl, signal);
    let base = storeUrl;
    return async function ask(query: string): Promise<StoreAnswer> {
      const answer = await get(`${base}/algorithm?${query}`, token, signal);
      // Before 4.15 the address of a store was given without its API path.
      const isNoApi = answer.status === 404 && saidBy(answer.json) === undefined;
      if (!isNoApi || base.endsWith(API_PATH)) return answer;
      base += API_PATH;
      return await get(`${base}/algorithm?${query}`, token, signal);
    };
  }

  return {
    async has(storeUrl, image, signal) {
      const ask = await askerAt(storeUrl, signal);
      const found = await ask(`image=${encodeURIComponent(image)}`);
      // The store asks the image's registry first: 400 is that it told no digest, or another one
      // than was approved, and 500 that it is away. The list does without.
      const isOfRegistry = found.status === 400 || found.status === 500;
      if (!isOfRegistry && approves(listedIn(found), image)) return true;
      // A store does not find by name and digest what it has under a tag, but lists it. Sorted,
      // because pages of what has no order may leave some out.
      for (let page = 1; page <= MAX_PAGES; page++) {
        const listed = listedIn(await ask(`sort=id&page=${page}&per_page=${PER_PAGE}`));
        if (approves(listed, image)) return true;
        // Not "fewer than were asked for": what is between may allow fewer on a page.
        if (listed.length === 0) return false;
      }
      return false;
    },
    async probe(storeUrl, signal) {
      const ask = await askerAt(storeUrl, signal);
      listedIn(await ask("page=1&per_page=1"));
    },
  };
}

/** Whether what runs is what was approved: by its digest, or by its name where none is known. */
function approves(listed: Listed, image: string): boolean {
  const digest = /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
  return listed.some((one) => {
    if (one.image === image && !one.digest) return true;
    return digest !== undefined && one.digest === digest && nameOf(one.image) === nameOf(image);
  });
}

function listedIn({ status, json }: StoreAnswer): Listed {
  const said = saidBy(json)?.slice(0, 300) ?? `status ${status}`;
  // 400: among others, that nothing of a server is at the address that it was told.
  if (status === 400 || status === 401 || status === 403) throw new StoreRefusal(said, status);
  if (status !== 200) throw new SextantError("bad_gateway", `The store answered: ${said}`);
  const listed = listing.safeParse(json);
  if (!listed.success) throw new StoreRefusal("it does not answer as an algorithm store", status);
  return listed.data.data;
}

/** The sentence in a store's answer; `undefined` when it is no store's. */
function saidBy(json: unknown): string | undefined {
  const said = (json as { msg?: unknown } | null)?.msg;
  return typeof said === "string" ? said : undefined;
}

async function boundedJson(response: Response): Promise<unknown> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += piece.length;
    if (size > MAX_BYTES) throw new StoreRefusal(`an answer of more than ${MAX_BYTES} bytes`);
    pieces.push(piece);
  }
  try {
    return JSON.parse(await new Blob(pieces).text());
  } catch {
    return null;
  }
}
