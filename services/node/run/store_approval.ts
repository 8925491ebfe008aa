/**
 * Asks an algorithm store itself whether it has approved an image. The hub says which store a task's
 * image comes from, and is not trusted with that: it could name a store of the owner's for any
 * image.
 *
 * The store is sent a token that was made for it (`POST /token/store`), never the node's own, with
 * which it could act as the node. It asks the hub whose it is (`POST /token/node/validate`), which
 * takes both.
 * @module
 */
import { z } from "zod";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Hub } from "../hub/hub.ts";
import { PATIENCE_MS, spanOf } from "../hub/patience.ts";
import { persist } from "../hub/persist.ts";
import { ALLOWED, type Decision, refuse } from "../policy/policy.ts";
import { nameOf } from "../policy/references.ts";

/** What a store lists; only what it has approved, unless it is asked for others. */
const listing = z.object({
  data: z.array(z.object({ image: z.string(), digest: z.string().nullish() })),
});
type Listed = z.infer<typeof listing>["data"];

const API_PATH = "/api";
const MAX_BYTES = 4 * 2 ** 20;
const PER_PAGE = 100;
const MAX_PAGES = 100;

export interface StoreApproval {
  /**
   * Decides on an image of a store. The store's address has to be one that the owner allows: this
   * asks there.
   */
  decide(storeUrl: string, image: string, signal: AbortSignal): Promise<Decision>;
}

export interface CreateStoreApprovalOptions {
  hub: Pick<Hub, "insist">;
  /** The hub's address, which the store asks whose the token is and has to trust. */
  api: string;
  fetch: typeof globalThis.fetch;
  log: Logger;
  /** How long a store is tried that does not answer. */
  patienceMs?: number;
  /** How long one answer of it may take. */
  timeoutMs?: number;
  /** How long an approval holds without another question. */
  holdsMs?: number;
  now?: () => number;
}

/** The store answered, and does not say which algorithms it has approved. */
class StoreRefusal extends Error {
  override name = "StoreRefusal";
}

export function createStoreApproval({
  hub,
  api,
  fetch,
  log,
  patienceMs = PATIENCE_MS,
  timeoutMs = 30_000,
  holdsMs = 300_000,
  now = () => performance.now(),
}: CreateStoreApprovalOptions): StoreApproval {
  /** Store and image → until when its approval holds. */
  const approvals = new Map<string, number>();

  async function ask(base: string, query: string, token: string, signal: AbortSignal) {
    const response = await fetch(`${base}/algorithm?${query}`, {
      headers: {
        accept: "application/json",
        authorization: `Bearer ${token}`,
        "server-url": api,
        "client-type": "node",
      },
      // It could lead to any address that this machine can reach.
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    return { status: response.status, json: await boundedJson(response) };
  }

  async function isApproved(storeUrl: string, image: string, signal: AbortSignal) {
    const { store_token: token } = await hub.insist(
      "/token/store",
      z.object({ store_token: z.string() }),
      { method: "POST", body: { url: storeUrl }, signal },
    );
    let base = storeUrl;
    const query = `image=${encodeURIComponent(image)}`;
    let { status, json } = await ask(base, query, token, signal);
    // Before 4.15 the address of a store was given without its API path.
    if (status === 404 && saidBy(json) === undefined && !base.endsWith(API_PATH)) {
      base += API_PATH;
      ({ status, json } = await ask(base, query, token, signal));
    }
    // 400: the registry did not tell the store a digest, or told another one than was approved.
    if (status !== 400 && approves(listedIn(status, json), image)) return true;
    // A store does not find by name and digest what it has under a tag, but lists it.
    for (let page = 1; page <= MAX_PAGES; page++) {
      const pages = `page=${page}&per_page=${PER_PAGE}`;
      ({ status, json } = await ask(base, pages, token, signal));
      const listed = listedIn(status, json);
      if (approves(listed, image)) return true;
      if (listed.length < PER_PAGE) return false;
    }
    return false;
  }

  return {
    async decide(address, image, signal) {
      const storeUrl = address.replace(/\/+$/, "");
      const what = `the algorithm ${image}`;
      const url = URL.parse(storeUrl);
      if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
        return refuse(what, `its store ${JSON.stringify(address)} has no address to ask at`);
      }
      const key = JSON.stringify([storeUrl, image]);
      if ((approvals.get(key) ?? -Infinity) > now()) return ALLOWED;
      const began = now();
      try {
        const approved = await persist(() => isApproved(storeUrl, image, signal), {
          what: `ask the algorithm store ${storeUrl} whether it has approved ${image}`,
          log,
          signal,
          retryable: (error) => !(error instanceof StoreRefusal) && now() - began < patienceMs,
        });
        if (!approved) {
          return refuse(what, `its store ${storeUrl} says that it has not approved it`);
        }
      } catch (error) {
        if (signal.aborted) throw error;
        if (error instanceof StoreRefusal) {
          return refuse(
            what,
            `its store ${storeUrl} does not tell this node what it has approved (${error.message}); ` +
              `it has to be a store of vantage6 4.15 or later that trusts the server ${api}`,
          );
        }
        log.warn(`The algorithm store ${storeUrl} was asked in vain`, { reason: String(error) });
        return refuse(
          what,
          `its store ${storeUrl} could not be asked for ${spanOf(patienceMs)} whether it has ` +
            "approved it; the node's own log says why. Post the task again once it answers",
        );
      }
      for (const [one, until] of approvals) if (until <= now()) approvals.delete(one);
      approvals.set(key, now() + holdsMs);
      return ALLOWED;
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

function listedIn(status: number, json: unknown): Listed {
  const said = saidBy(json)?.slice(0, 300) ?? `status ${status}`;
  if (status === 401 || status === 403) throw new StoreRefusal(said);
  if (status !== 200) throw new SextantError("bad_gateway", `The store answered: ${said}`);
  const listed = listing.safeParse(json);
  if (!listed.success) throw new StoreRefusal("it does not answer as an algorithm store");
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
