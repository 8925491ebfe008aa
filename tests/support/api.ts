/**
 * The API without types, for tests: any method, any path, any body, and each caller with the token
 * that the test gives it, which nothing renews. On the transport of the typed client.
 * @module
 */
import { ApiError, readErrorBody } from "../../services/client/errors.ts";
import { createTransport, type Sent } from "../../services/client/transport.ts";

// deno-lint-ignore no-explicit-any -- answers are the API's; each test knows which it asked for
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

/** `url` is the gateway's, without `/api`. */
export function createApiClient(url: string, { token }: { token?: string } = {}): ApiClient {
  const transport = createTransport({ url });

  async function request(method: string, path: string, body?: unknown, headers?: HeadersInit) {
    const all = new Headers(headers);
    if (token !== undefined) all.set("authorization", `Bearer ${token}`);
    if (body !== undefined) all.set("content-type", "application/json");
    return await transport.send({
      method: method as Sent["method"],
      path,
      headers: Object.fromEntries(all),
      body: body === undefined ? undefined : () => JSON.stringify(body),
      repeatable: false,
      patienceMs: Infinity,
    });
  }

  async function parsed(method: string, path: string, body?: unknown): Promise<Json> {
    const response = await request(method, path, body);
    const answer = await response.json();
    if (response.status < 300) return answer;
    const error = new ApiError(`${method} ${path}`, response.status, readErrorBody(answer));
    error.message = `${error.request}: ${error.status} ${error.body.msg}`;
    throw error;
  }

  const as = (other: string | undefined) =>
    createApiClient(url, other === undefined ? {} : { token: other });

  return {
    url,
    request,
    get: (path) => parsed("GET", path),
    post: (path, body) => parsed("POST", path, body),
    patch: (path, body) => parsed("PATCH", path, body),
    delete: (path, body) => parsed("DELETE", path, body),
    as,
    async login(username, password) {
      const { access_token } = await parsed("POST", "/token/user", { username, password });
      return as(access_token);
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
