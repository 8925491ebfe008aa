/**
 * One HTTP request to the hub and its answer; what is between, such as a proxy, is not taken for
 * the hub.
 * @module
 */
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import { collect, piecesOf, TooLargeError } from "../payload/pieces.ts";
import { HubError } from "./error.ts";
import { networkReason } from "./network_reason.ts";
import { type Upload, upload } from "./upload.ts";
import type { WayOut } from "./way_out.ts";

/** One request to the hub. */
export interface HubRequest {
  method?: "GET" | "POST" | "PUT" | "PATCH";
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is. */
  content?: Upload;
  headers?: Record<string, string>;
  /** Someone else's token; by default the node's own. */
  token?: string;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** The longest answer; a longer one is an error with the status 422. */
  maxBytes?: number;
}

export interface Sender {
  /** The JSON of the answer. Throws a {@linkcode HubError} for anything but success. */
  send(url: string, request: HubRequest): Promise<unknown>;
  /** The answer as it comes, whatever its status. */
  open: typeof globalThis.fetch;
  /** What an answer says that is no success. */
  refusalOf(answer: Refusal): HubError;
}

export interface Refusal {
  status: number;
  text: string;
  /** Who was asked. */
  url: string;
}

export interface CreateSenderOptions {
  wayOut: WayOut;
  /** Told whenever the hub cannot be reached, and why. */
  onTrouble: (reason: string) => void;
}

export function createSender({ wayOut, onTrouble }: CreateSenderOptions): Sender {
  function unreachable(why: string, url: string, options?: ErrorOptions): HubError {
    const reason = networkReason(why, wayOut.proxyOf(url));
    onTrouble(reason);
    return new HubError(`Cannot reach the hub: ${reason}`, undefined, options);
  }

  function refusalOf({ status, text, url }: Refusal): HubError {
    const msg = hubMessageOf(text);
    // A proxy's refusal says nothing of the request, unless it is too large for it.
    if (msg === undefined && status !== 413 && wayOut.proxyOf(url) !== undefined) {
      return unreachable(`unexpected server response: ${status}`, url);
    }
    return new HubError(msg ?? `HTTP ${status}`, status);
  }

  async function send(
    url: string,
    { token, signal, timeoutMs = 30_000, maxBytes = Infinity, ...request }: HubRequest,
  ): Promise<unknown> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const headers = { ...request.headers, ...(token ? { authorization: `Bearer ${token}` } : {}) };
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
    let answer: Answer;
    try {
      answer = await (request.content
        ? sendContent(url, request.content, { headers, signal: either })
        : sendJson(url, { ...request, headers, signal: either, maxBytes }));
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof TooLargeError) {
        throw new HubError(`The answer is larger than ${maxBytes / 2 ** 20} MiB`, 422);
      }
      const why = timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : messageOf(cause);
      throw unreachable(why, url, { cause });
    }
    if (!isOk(answer.status)) throw refusalOf({ ...answer, url });
    if (answer.damaged) throw new HubError("What arrived at the hub is not what was sent");
    return parseJson(answer.text);
  }

  async function sendContent(url: string, content: Upload, how: Sending): Promise<Answer> {
    const way = wayOut.socketOptions(url);
    const { status, text, stored, sent } = await upload(url, { content, way, ...how });
    return { status, text, damaged: stored !== undefined && stored !== sent };
  }

  async function sendJson(
    url: string,
    { method = "GET", body, headers, signal, maxBytes }: Sending & HubRequest & {
      maxBytes: number;
    },
  ): Promise<Answer> {
    const json = body === undefined
      ? { headers }
      : { headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) };
    const response = await wayOut.fetch(url, { method, ...json, signal });
    const bytes = await collect(piecesOf(response.body), { maxBytes });
    return {
      status: response.status,
      text: new TextDecoder().decode(bytes),
      damaged: false,
    };
  }

  return { send, open: wayOut.fetch, refusalOf };
}

interface Sending {
  headers: Record<string, string>;
  signal: AbortSignal;
}

interface Answer {
  status: number;
  text: string;
  /** Whether something else arrived than was sent. */
  damaged: boolean;
}

function isOk(status: number): boolean {
  return status >= 200 && status < 300;
}

/** What the hub says is wrong; `undefined` where it is not the hub that speaks. */
function hubMessageOf(text: string): string | undefined {
  return z.object({ msg: z.string() }).safeParse(parseJson(text)).data?.msg;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
