/**
 * The hub as the node sees it over HTTP: log-in with the API key, who the node is, its broker credential,
 * container tokens, and the payloads that are too large for a message.
 * @module
 */
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import {
  type BrokerCredential,
  type BrokerCredentialRequest,
  brokerCredentialSchema,
  nodeLogInAnswer,
  type NodeLogInRequest,
} from "../../../shared/node_protocol/log_in.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { collect, type Pieces, piecesOf, TooLargeError } from "../payload/pieces.ts";
import { claimsOf } from "./claims.ts";
import { persist } from "./persist.ts";
import { download } from "./download.ts";
import { HubError, WrongKeyError } from "./error.ts";
import { type Upload, upload } from "./upload.ts";

export { HubError, WrongKeyError };

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

const id = z.number().int();
const linked = z.object({ id });
const nodeSchema = z.object({ id, name: z.string(), organization: linked, collaboration: linked });
const collaborationSchema = z.object({ id, name: z.string(), encrypted: z.boolean() });
export interface Hub {
  /** One request with a JSON answer. Throws a {@linkcode HubError}; does not retry. */
  request<T>(path: string, schema: z.ZodType<T>, options?: HubRequest): Promise<T>;
  /** The same, until the hub answers with success or with a refusal. */
  insist<T>(
    path: string,
    schema: z.ZodType<T>,
    options: HubRequest & { signal: AbortSignal },
  ): Promise<T>;
  /**
   * The bytes of a blob as they come, as insistently: a connection that breaks off is made anew. They are what the hub
   * has once they have ended, else that throws.
   */
  download(blobId: string, options: { token?: string; signal: AbortSignal }): Pieces;
  /** Logs in and reads who this node is. Throws a {@linkcode WrongKeyError} when the key is not known. */
  whoAmI(signal: AbortSignal): Promise<NodeIdentity>;
  brokerCredential(publicKey: string, signal: AbortSignal): Promise<BrokerCredential>;
}

/** The node as the hub knows it. */
export interface NodeIdentity {
  id: number;
  name: string;
  organizationId: number;
  collaboration: { id: number; name: string; encrypted: boolean };
}

export interface CreateHubOptions {
  /** Base address, as in `NodeConfig.api`. */
  api: string;
  apiKey: string;
  /** The formats of encrypted payloads that this agent reads, which it says at each log-in. */
  payloadFormats: readonly string[];
  log: Logger;
  now?: () => number;
}

interface Session {
  token: string;
  nodeId: number;
  /** When to log in again, in milliseconds since 1970: well before the token expires. */
  renewAt: number;
}

export function createHub(
  { api, apiKey, payloadFormats, log, now = Date.now }: CreateHubOptions,
): Hub {
  let session: Promise<Session> | undefined;

  async function logIn(signal?: AbortSignal): Promise<Session> {
    try {
      const answer = await send(`${api}/token/node`, {
        method: "POST",
        body: { api_key: apiKey, payload_formats: [...payloadFormats] } satisfies NodeLogInRequest,
        ...(signal ? { signal } : {}),
      });
      const token = nodeLogInAnswer.parse(answer).access_token;
      const { sub, exp } = claimsOf(token, z.object({ sub: id, exp: z.number() }));
      const lifetime = exp * 1000 - now();
      return { token, nodeId: sub, renewAt: now() + lifetime - Math.min(600_000, lifetime / 2) };
    } catch (error) {
      if (!(error instanceof HubError) || (error.status !== 401 && error.status !== 400)) {
        throw error;
      }
      throw new WrongKeyError(
        `The hub at ${api} refuses this node's API key: ${error.message} ` +
          "Ask an administrator of the collaboration for a new key and set api_key.",
      );
    }
  }

  async function current(signal?: AbortSignal): Promise<Session> {
    const known = session;
    if (known && (await known).renewAt <= now() && session === known) session = undefined;
    session ??= logIn(signal).catch((error) => {
      session = undefined;
      throw error;
    });
    return await session;
  }

  async function request<T>(path: string, schema: z.ZodType<T>, options: HubRequest = {}) {
    const token = options.token ?? (await current(options.signal)).token;
    try {
      return schema.parse(await send(api + path, { ...options, token }));
    } catch (error) {
      // The token may have died early, for example with the hub's signing key.
      if (error instanceof HubError && error.status === 401 && !options.token) session = undefined;
      if (!(error instanceof z.ZodError)) throw error;
      throw new HubError(`${path} was answered in an unexpected shape: ${z.prettifyError(error)}`);
    }
  }

  function insist<T>(
    path: string,
    schema: z.ZodType<T>,
    options: HubRequest & { signal: AbortSignal },
  ) {
    let refusals = 0;
    return persist(() => request(path, schema, options), {
      what: `get an answer to ${options.method ?? "GET"} ${path} from the hub`,
      log,
      signal: options.signal,
      retryable: (error) => {
        if (!(error instanceof HubError)) return !(error instanceof WrongKeyError);
        if (error.status === 401 && !options.token) return refusals++ === 0;
        return error.retryable;
      },
    });
  }

  return {
    request,
    insist,
    async *download(blobId, { token, signal }) {
      const open = async (from: number, signal: AbortSignal) => {
        const own = token ?? (await current(signal)).token;
        const range = from > 0 ? { range: `bytes=${from}-` } : {};
        const headers = { authorization: `Bearer ${own}`, ...range };
        const response = await fetch(`${api}/blobstream/${blobId}`, { headers, signal });
        if (response.ok) return response;
        const error = readRefusal(response.status, await response.text());
        if (token || error.status !== 401) throw error;
        session = undefined;
        throw refusals++ === 0 ? new HubError(error.message) : error;
      };
      let refusals = 0;
      yield* download({ what: `blob ${blobId}`, open, log, signal });
    },
    async whoAmI(signal) {
      const { nodeId } = await persist(() => current(signal), {
        what: `log in at ${api}`,
        log,
        signal,
        retryable: (error) => !(error instanceof WrongKeyError),
      });
      const node = await insist(`/node/${nodeId}`, nodeSchema, { signal });
      const collaboration = await insist(
        `/collaboration/${node.collaboration.id}`,
        collaborationSchema,
        { signal },
      );
      return { id: node.id, name: node.name, organizationId: node.organization.id, collaboration };
    },
    brokerCredential: (publicKey, signal) =>
      insist("/token/broker", brokerCredentialSchema, {
        method: "POST",
        body: { public_key: publicKey } satisfies BrokerCredentialRequest,
        signal,
      }),
  };
}

async function send(
  url: string,
  {
    method = "GET",
    body,
    content: large,
    headers,
    token,
    signal,
    timeoutMs = 30_000,
    maxBytes = Infinity,
  }: HubRequest,
): Promise<unknown> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const content = body === undefined ? undefined : JSON.stringify(body);
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
  const all = { ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) };
  let status: number;
  let text: string;
  let damaged = false;
  try {
    if (large) {
      const answer = await upload(url, { content: large, headers: all, signal: either });
      ({ status, text } = answer);
      damaged = answer.stored !== undefined && answer.stored !== answer.sent;
    } else {
      const response = await fetch(url, {
        method,
        headers: {
          ...all,
          ...(content === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(content === undefined ? {} : { body: content }),
        signal: either,
      });
      status = response.status;
      text = new TextDecoder().decode(await collect(piecesOf(response.body), { maxBytes }));
    }
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof TooLargeError) {
      throw new HubError(`The answer is larger than ${maxBytes / 2 ** 20} MiB`, 422);
    }
    const why = timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : messageOf(cause);
    throw new HubError(`Cannot reach the hub: ${why}`, undefined, { cause });
  }
  if (isOk(status) && damaged) throw new HubError("What arrived at the hub is not what was sent");
  if (isOk(status)) return parseJson(text);
  throw readRefusal(status, text);
}

function isOk(status: number): boolean {
  return status >= 200 && status < 300;
}

function readRefusal(status: number, text: string): HubError {
  const schema = z.object({ msg: z.string() }).catch({ msg: `HTTP ${status}` });
  return new HubError(schema.parse(parseJson(text)).msg, status);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
