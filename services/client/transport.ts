/**
 * Requests as they go to the hub, and again where that is safe and the way was the trouble.
 * @module
 */
import { UnreachableError } from "./errors.ts";

export type Query = Readonly<
  Record<string, string | number | boolean | readonly (string | number)[] | null | undefined>
>;

export interface Sent {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below `/api`. */
  path: string;
  query?: Query | undefined;
  headers?: Record<string, string>;
  /** Made anew for each time that the request is sent. */
  body?: (() => BodyInit) | undefined;
  /** To be sent again when there is no answer, or one that the hub is away. */
  repeatable: boolean;
  /** How long the hub may take to begin its answer; a minute unless given, `Infinity` for ever. */
  patienceMs?: number;
  signal?: AbortSignal | undefined;
}

export interface Transport {
  /** The hub's address without `/api`, without a slash at its end. */
  readonly url: string;
  /** The answer, whatever its status. Rejects with an {@linkcode UnreachableError}. */
  send(request: Sent): Promise<Response>;
}

export interface TransportOptions {
  /** Of the hub, with or without `/api` at its end. */
  url: string;
  /** In place of the platform's own. */
  fetch?: typeof fetch;
  /** How often a request that may be sent again is; 4 unless given. */
  tries?: number;
}

const PATIENCE_MS = 60_000;
/** What a front or the hub answers while the hub is away. */
const AWAY = new Set([502, 503, 504]);
const FIRST_PAUSE_MS = 200;
/** For a longer time than that nobody wants to wait in silence. */
const LONGEST_PAUSE_S = 20;

export function createTransport(
  { url: given, fetch: fetchIt = globalThis.fetch.bind(globalThis), tries = 4 }: TransportOptions,
): Transport {
  const url = hubUrl(given);

  async function once(request: Sent): Promise<Response> {
    const { method, path, query, headers, body, patienceMs = PATIENCE_MS, signal } = request;
    signal?.throwIfAborted();
    const impatient = new AbortController();
    const timer = patienceMs === Infinity ? undefined : setTimeout(
      () => impatient.abort(new Error(`no answer within ${patienceMs / 1000} seconds`)),
      patienceMs,
    );
    const content = body?.();
    try {
      return await fetchIt(`${url}/api${path}${queryText(query)}`, {
        method,
        signal: signal ? AbortSignal.any([signal, impatient.signal]) : impatient.signal,
        ...(headers ? { headers } : {}),
        ...(content === undefined ? {} : { body: content }),
        // Asked for by the standard; the types do not know it.
        ...(content instanceof ReadableStream ? { duplex: "half" } : {}),
      });
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    url,
    async send(request) {
      const { signal, repeatable } = request;
      const most = repeatable ? tries - 1 : 0;
      for (let left = most, pause = FIRST_PAUSE_MS;; left--, pause *= 3) {
        try {
          const response = await once(request);
          // Perhaps the try before did it, and its answer was lost.
          if (left < most && request.method === "DELETE" && response.status === 404) {
            return Response.json({ msg: "It is gone." });
          }
          const wait = waitOf(response, pause);
          if (left === 0 || wait === undefined) return response;
          await response.body?.cancel();
          await delay(wait, signal);
        } catch (error) {
          if (signal?.aborted) throw signal.reason;
          if (left === 0) throw new UnreachableError(url, error);
          await delay(pause, signal);
        }
      }
    },
  };
}

/** The milliseconds after which the request may go well; `undefined` when this is the answer. */
function waitOf(response: Response, pause: number): number | undefined {
  if (AWAY.has(response.status)) return pause;
  const after = Number(response.headers.get("retry-after") ?? NaN);
  return response.status === 429 && after <= LONGEST_PAUSE_S ? after * 1000 : undefined;
}

/** Waits; rejects as soon as the signal says so. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    function stop() {
      clearTimeout(timer);
      reject(signal!.reason);
    }
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** An address as people give it, as the client uses it. Throws a TypeError for what is none. */
export function hubUrl(given: string): string {
  const { protocol, origin, pathname } = new URL(given);
  if (protocol !== "https:" && protocol !== "http:") {
    throw new TypeError(`The hub's address must begin with https:// or http://, not ${protocol}//`);
  }
  return origin + pathname.replace(/\/+$/, "").replace(/\/api$/, "");
}

function queryText(query: Query = {}): string {
  const all = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    for (const one of Array.isArray(value) ? value : [value]) all.append(name, String(one));
  }
  return all.size > 0 ? `?${all}` : "";
}
