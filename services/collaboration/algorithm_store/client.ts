/**
 * What this service says to algorithm stores: "trust the users of this server", its reverse, and
 * "have you approved this algorithm?".
 *
 * A store's address is judged before anything is sent (`address.ts`), and what was judged is what
 * is connected to (`http_request.ts`). Nothing waits longer than ten seconds.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { SextantError } from "../../../shared/service/errors.ts";
import {
  isInside,
  judgeAddress,
  type JudgedAddress,
  NowhereError,
  resolveHost,
} from "./address.ts";
import { type HttpAnswer, requestJudged } from "./http_request.ts";

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
  /** How long a store behind the hub is waited for, and how long a failure there takes. */
  insideMs?: number;
  /** Whether an address is behind the hub. */
  inside?: (address: string) => boolean;
  /** The addresses of a host name. */
  resolve?: (host: string) => Promise<string[]>;
}

const API_PATH = "/api";

/** What a store lists; it lists approved algorithms alone unless it is asked for others. */
const listing = z.object({
  data: z.array(z.object({
    image: z.string(),
    digest: z.string().regex(/^sha256:[0-9a-f]{64}$/).nullish(),
  })),
});

/** The servers whose users a store trusts. */
const knownServers = z.array(z.object({ id: z.number().int(), url: z.string() }));

/**
 * Of an address behind the hub nothing is told but what a store says: not whether something else
 * listens there, nor whether there is such a name, neither in words nor by the time that it takes.
 */
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
  /** `own`: said as stores say it, rather than by any server that does not know the request. */
  constructor(readonly status: number, message: string, readonly own: boolean) {
    super(message);
  }
}

export function createStoreClient(
  { timeoutMs = 10_000, insideMs = 5000, inside = isInside, resolve = resolveHost }:
    StoreClientOptions = {},
): StoreClient {
  /**
   * Asks a store, whose address is judged once for all that is asked. Of one behind the hub a
   * failure tells nothing but what a store says itself, and takes the same time whatever it was.
   */
  async function asking<Answer>(
    call: StoreCall,
    ask: (store: Way) => Promise<Answer>,
    { linked = true } = {},
  ): Promise<Answer> {
    const began = performance.now();
    const over = delay(insideMs, undefined, { ref: false });

    /**
     * What is told of all that may be behind the hub, and of names that are nowhere, at one time.
     */
    async function nothingThere(cause: unknown): Promise<never> {
      await over;
      const url = URL.parse(call.storeUrl)!.href.replace(/\/+$/, "");
      const message = linked
        ? `The algorithm store at ${url} cannot be reached, or does not answer as one.`
        : `No algorithm store that takes this server answers at ${url}. Is its name right? ` +
          "Where it is on the server's own machine, force must be set.";
      throw new SextantError("not_found", message, { cause });
    }

    const late = over.then((): never => {
      throw new NowhereError("The name was not looked up in time");
    });
    const at = await Promise.race([judgeAddress(call.storeUrl, call.force, resolve), late])
      .catch((error) => {
        if (error instanceof NowhereError) return nothingThere(error);
        throw error;
      });
    const isBehindHub = at.addresses.some(inside);
    const patience = isBehindHub ? insideMs : timeoutMs;
    const store = { call, at, isBehindHub, until: began + patience };
    if (!isBehindHub) return await ask(store);
    try {
      return await ask(store);
    } catch (error) {
      if (error instanceof StoreRefusal && error.own) throw error;
      return await nothingThere(error);
    }
  }

  return {
    register: (call) =>
      asking(call, async (store) => {
        const { status, json } = await send("POST", "/vantage6-server", store);
        if (status === 201 || status === 208) return;
        if (status === 403 && await isPublic(store)) return;
        throw refusal(status, json);
      }, { linked: false }),
    unregister: (call) =>
      asking(call, async (store) => {
        const own = `/vantage6-server?url=${encodeURIComponent(call.serverUrl)}`;
        const { status, json } = await send("GET", own, store);
        if (status !== 200) throw refusal(status, json);
        const known = knownServers.safeParse(json);
        if (!known.success && store.isBehindHub) throw noStore(status);
        // The store takes the address for a pattern.
        const found = known.data?.find(({ url }) => url === call.serverUrl);
        if (!found) return; // it has forgotten this server already
        const gone = await send("DELETE", `/vantage6-server/${found.id}`, store);
        if (gone.status >= 300) throw refusal(gone.status, gone.json);
      }),
    async approvedImage(call, image) {
      const approved = await asking(call, async (store) => {
        const path = `/algorithm?image=${encodeURIComponent(image)}`;
        const { status, json } = await send("GET", path, store);
        if (status !== 200) throw refusal(status, json);
        const listed = listing.safeParse(json);
        if (!listed.success && store.isBehindHub) throw noStore(status);
        return listed.data?.data ?? [];
      });
      for (const one of approved) {
        if (!one.digest && one.image === image) return image;
        if (one.digest && bareName(one.image) === bareName(image)) {
          return `${bareName(image)}@${one.digest}`;
        }
      }
      throw new SextantError("invalid_request", `The algorithm store does not have ${image}.`);
    },
  };
}

/** A store whose address was judged, and until when it is waited for (`performance.now()`). */
interface Way {
  call: StoreCall;
  at: JudgedAddress;
  isBehindHub: boolean;
  until: number;
}

async function send(
  method: string,
  path: string,
  store: Way,
): Promise<{ status: number; json: unknown }> {
  const asked = await request(method, path, store);
  const { at } = store;
  // Before 4.15 the address of a store was given without its API path.
  if (asked.status !== 404 || saidBy(asked.json) !== undefined || at.url.endsWith(API_PATH)) {
    return asked;
  }
  return await request(method, path, { ...store, at: { ...at, url: at.url + API_PATH } });
}

async function isPublic(store: Way): Promise<boolean> {
  const { status, json } = await send("GET", "/policy/public", store);
  const policy = (json ?? {}) as { algorithm_view?: unknown; algorithms_open?: unknown };
  return status === 200 &&
    (policy.algorithm_view === "public" || policy.algorithms_open === true);
}

async function request(
  method: string,
  path: string,
  { call: { serverUrl, authorization, force }, at: { url, addresses }, until }: Way,
): Promise<{ status: number; json: unknown }> {
  const trusted = { url: serverUrl, ...(force ? { force: true } : {}) };
  const body = method === "POST" ? JSON.stringify(trusted) : undefined;
  let answer: HttpAnswer;
  try {
    answer = await requestJudged({
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
      timeoutMs: Math.max(1, Math.ceil(until - performance.now())),
    });
  } catch (cause) {
    throw new SextantError("not_found", `The algorithm store at ${url} cannot be reached.`, {
      cause,
    });
  }
  return { status: answer.status, json: parse(answer.text) };
}

/** A container image's reference without tag and digest. */
function bareName(image: string): string {
  return image.replace(/@[^@]*$/, "").replace(/:[^:/]*$/, "");
}

/** The sentence in a store's answer; `undefined` when it is no store's. */
function saidBy(json: unknown): string | undefined {
  const said = (json as { msg?: unknown } | null)?.msg;
  return typeof said === "string" ? said : undefined;
}

function noStore(status: number): SextantError {
  return new SextantError(
    "bad_gateway",
    `The address does not answer as an algorithm store (status ${status}).`,
  );
}

function refusal(status: number, json: unknown): Error {
  const said = saidBy(json);
  const reason = said?.slice(0, 500) ?? `status ${status}`;
  if (status < 400) return noStore(status);
  // These every server answers to what it does not know, Sextant's own parts among them.
  const own = said !== undefined && status < 500 && status !== 404 && status !== 405;
  return new StoreRefusal(status, `The algorithm store refuses: ${reason}`, own);
}

/**
 * The address under which a store reaches this server, with its API path as stores want it; 400
 * when nobody has told it.
 */
export function requireServerUrl(url: string | undefined): string {
  if (url === undefined) {
    throw new SextantError(
      "invalid_request",
      "server_url is missing: the address under which the store reaches this server. Send it along, " +
        "or ask the operator of this server to set SEXTANT_SERVER_URL.",
    );
  }
  const own = url.replace(/\/+$/, "");
  return own.endsWith(API_PATH) ? own : own + API_PATH;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
