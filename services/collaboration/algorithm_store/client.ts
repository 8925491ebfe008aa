/**
 * What this service says to algorithm stores: "trust the users of this server", its reverse, and
 * "have you approved this algorithm?".
 *
 * A store's address is judged before anything is sent (`address.ts`), and what was judged is what
 * is connected to (`http_request.ts`). Nothing waits longer than ten seconds.
 * @module
 */
import { z } from "zod";
import { SextantError } from "../../../shared/service/errors.ts";
import { judgeAddress, resolveHost } from "./address.ts";
import { requestJudged } from "./http_request.ts";

export interface StoreCall {
  /** Base address of the store, with its API path. */
  storeUrl: string;
  /** This server, as the store is to know it. */
  serverUrl: string;
  /**
   * Shows the store who calls, which asks back whether it is valid. Never the caller's own token,
   * with which the store could do whatever they may do: one that was made for it (`asStoreToken`).
   */
  authorization: string | undefined;
  /** Also a store on this machine. */
  force: boolean;
}

export interface StoreClientOptions {
  timeoutMs?: number;
  /** The addresses of a host name. */
  resolve?: (host: string) => Promise<string[]>;
}

/** What a store lists; it lists approved algorithms alone unless it is asked for others. */
const listing = z.object({
  data: z.array(z.object({
    image: z.string(),
    digest: z.string().regex(/^sha256:[0-9a-f]{64}$/).nullish(),
  })),
});

/** The servers whose users a store trusts. */
const knownServers = z.array(z.object({ id: z.number().int(), url: z.string() }));

export interface StoreClient {
  /**
   * Makes this server known to the store. Throws 400 or 404, or a refusal with the store's own
   * status.
   */
  register(call: StoreCall): Promise<void>;
  /** Takes that back. Throws when the store could not be told. */
  unregister(call: StoreCall): Promise<void>;
  /**
   * The image that the store has approved under this name, as `name@digest` where it knows the
   * digest, so that what was reviewed is what runs. Throws 400 when there is none, 404, or a
   * refusal with the store's own status.
   */
  approvedImage(call: StoreCall, image: string): Promise<string>;
}

/** The store answered, but not with yes. */
export class StoreRefusal extends Error {
  override name = "StoreRefusal";
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

export function createStoreClient(
  { timeoutMs = 10_000, resolve = resolveHost }: StoreClientOptions = {},
): StoreClient {
  async function send(
    method: string,
    path: string,
    { storeUrl, serverUrl, authorization, force }: StoreCall,
  ): Promise<{ status: number; json: unknown }> {
    const { url, addresses } = await judgeAddress(storeUrl, force, resolve);
    const trusted = { url: serverUrl, ...(force ? { force: true } : {}) };
    const body = method === "POST" ? JSON.stringify(trusted) : undefined;
    try {
      const { status, text } = await requestJudged({
        url: new URL(`${url}${path}`),
        addresses,
        method,
        headers: {
          accept: "application/json",
          // Stores before 4.15 ask for "server_url": to Flask the two are one.
          "server-url": serverUrl,
          ...(authorization ? { authorization } : {}),
          ...(body ? { "content-type": "application/json" } : {}),
        },
        body,
        timeoutMs,
      });
      return { status, json: parse(text) };
    } catch (cause) {
      throw new SextantError("not_found", `The algorithm store at ${url} cannot be reached.`, {
        cause,
      });
    }
  }

  async function isPublic(call: StoreCall): Promise<boolean> {
    const { status, json } = await send("GET", "/policy/public", call);
    const policy = (json ?? {}) as { algorithm_view?: unknown; algorithms_open?: unknown };
    return status === 200 &&
      (policy.algorithm_view === "public" || policy.algorithms_open === true);
  }

  return {
    async register(call) {
      const { status, json } = await send("POST", "/vantage6-server", call);
      if (status === 201 || status === 200 || status === 208) return;
      if (status === 403 && await isPublic(call)) return;
      throw refusal(status, json);
    },
    async unregister(call) {
      const own = `/vantage6-server?url=${encodeURIComponent(call.serverUrl)}`;
      const { status, json } = await send("GET", own, call);
      if (status !== 200) throw refusal(status, json);
      // The store takes the address for a pattern.
      const found = knownServers.catch([]).parse(json).find(({ url }) => url === call.serverUrl);
      if (!found) return; // it has forgotten this server already
      const gone = await send("DELETE", `/vantage6-server/${found.id}`, call);
      if (gone.status >= 300) throw refusal(gone.status, gone.json);
    },
    async approvedImage(call, image) {
      const path = `/algorithm?image=${encodeURIComponent(image)}`;
      const { status, json } = await send("GET", path, call);
      if (status !== 200) throw refusal(status, json);
      const { data } = listing.catch({ data: [] }).parse(json);
      for (const one of data) {
        if (!one.digest && one.image === image) return image;
        if (one.digest && bareName(one.image) === bareName(image)) {
          return `${bareName(image)}@${one.digest}`;
        }
      }
      throw new SextantError("invalid_request", `The algorithm store does not have ${image}.`);
    },
  };
}

/** A container image's reference without tag and digest. */
function bareName(image: string): string {
  return image.replace(/@[^@]*$/, "").replace(/:[^:/]*$/, "");
}

function refusal(status: number, json: unknown): Error {
  const said = (json as { msg?: unknown } | null)?.msg;
  const reason = typeof said === "string" ? said.slice(0, 500) : `status ${status}`;
  if (status < 400) {
    return new SextantError(
      "bad_gateway",
      `The address does not answer as an algorithm store (status ${status}).`,
    );
  }
  return new StoreRefusal(status, `The algorithm store refuses: ${reason}`);
}

/** The address under which a store reaches this server; 400 when nobody has told it. */
export function requireServerUrl(url: string | undefined): string {
  if (url !== undefined) return url.replace(/\/+$/, "");
  throw new SextantError(
    "invalid_request",
    "server_url is missing: the address under which the store reaches this server.",
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
