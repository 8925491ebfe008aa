/**
 * A small client of Sextant's own HTTP API, for the demo and for tests.
 * @module
 */
import { messageOf } from "../../shared/service/errors.ts";
import { rememberKeys } from "./seen_keys.ts";

/** The API answered with an error. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly body: { msg?: string; [key: string]: unknown },
    what: string,
  ) {
    super(`${what}: ${status} ${body.msg ?? ""}`);
    this.name = "ApiError";
  }
}

// deno-lint-ignore no-explicit-any -- answers are the API's; each caller knows which it asked for
export type Json = any;

export interface ApiClient {
  readonly url: string;
  /** The raw answer, whatever its status. */
  request(method: string, path: string, body?: unknown, headers?: HeadersInit): Promise<Response>;
  /** The parsed body; throws an {@linkcode ApiError} for any status from 300 up. */
  get(path: string): Promise<Json>;
  post(path: string, body?: unknown): Promise<Json>;
  patch(path: string, body?: unknown): Promise<Json>;
  delete(path: string, body?: unknown): Promise<Json>;
  /** A client of the same hub for another caller. */
  as(token: string | undefined): ApiClient;
  /** Logs in and returns the client of that user. */
  login(username: string, password: string): Promise<ApiClient>;
}

export interface ApiClientOptions {
  token?: string;
  /** Told of what the caller should know, such as a public key that has changed. */
  say?: (line: string) => void;
}

/**
 * `url` is the gateway's, without `/api`. The client remembers the public keys of organizations that
 * it was shown, and says when one changes.
 */
export function createApiClient(
  url: string,
  { token, say = console.warn }: ApiClientOptions = {},
): ApiClient {
  return clientOf(url, token, rememberKeys(say));
}

function clientOf(
  url: string,
  token: string | undefined,
  look: (shown: unknown) => void,
): ApiClient {
  async function request(method: string, path: string, body?: unknown, headers?: HeadersInit) {
    const all = new Headers(headers);
    if (token !== undefined) all.set("authorization", `Bearer ${token}`);
    if (body !== undefined) all.set("content-type", "application/json");
    try {
      return await fetch(`${url}/api${path}`, {
        method,
        headers: all,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new Error(`Cannot reach the hub at ${url}: ${messageOf(cause)}`, { cause });
    }
  }

  async function parsed(method: string, path: string, body?: unknown): Promise<Json> {
    const response = await request(method, path, body);
    const answer = await response.json();
    if (response.status >= 300) throw new ApiError(response.status, answer, `${method} ${path}`);
    if (/^\/organization\b/.test(path)) look(answer);
    return answer;
  }

  return {
    url,
    request,
    get: (path) => parsed("GET", path),
    post: (path, body) => parsed("POST", path, body),
    patch: (path, body) => parsed("PATCH", path, body),
    delete: (path, body) => parsed("DELETE", path, body),
    as: (other) => clientOf(url, other, look),
    async login(username, password) {
      const { access_token } = await parsed("POST", "/token/user", { username, password });
      return clientOf(url, access_token, look);
    },
  };
}

/** An algorithm's input as tasks carry it: base64 of the JSON text. */
export function encodeInput(input: { method: string; kwargs?: Record<string, unknown> }): string {
  return new TextEncoder().encode(JSON.stringify(input)).toBase64();
}

/** What an algorithm returned, out of a result's payload. */
export function decodeResult(payload: string): Json {
  return JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(payload)));
}
