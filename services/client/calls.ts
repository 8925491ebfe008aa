/**
 * Calls of the API by somebody who is logged in: with their token, which is renewed in time, and
 * with answers that are parsed.
 * @module
 */
import { z } from "zod";
import { said } from "../../shared/contract/answers.ts";
import { messageOf } from "../../shared/service/errors.ts";
import {
  ApiError,
  ForbiddenError,
  LoggedOutError,
  LogInRefusedError,
  NotFoundError,
  readErrorBody,
  StrangeAnswerError,
  UnreachableError,
} from "./errors.ts";
import type { Session } from "./session.ts";
import type { Query, Sent, Transport } from "./transport.ts";

export interface CallOptions {
  query?: Query | undefined;
  /** JSON. */
  body?: unknown;
  /** Beside JSON: bytes, made anew each time. */
  content?: () => BodyInit;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  patienceMs?: number;
  /**
   * Of a POST that creates: the hub does the work once, however often the request arrives with this
   * key. A new random one unless given.
   */
  idempotencyKey?: string;
  /** A POST that is to be sent once, whatever happens to it. */
  once?: boolean;
  /** Without a token. */
  anonymous?: boolean;
  /**
   * A password goes along, by which somebody proves who they are. A 401 is then the refusal of
   * that, whatever the hub calls it: to send it again with a new token would count as a second
   * wrong try.
   */
  proves?: boolean;
}

type Method = Sent["method"];

export interface Calls {
  /** The parsed answer. Rejects with an {@linkcode ApiError} for any status from 300 up. */
  json<Schema extends z.ZodType>(
    method: Method,
    path: string,
    schema: Schema,
    options?: CallOptions,
  ): Promise<z.output<Schema>>;
  /** The same with what its headers say beside it. */
  answer<Schema extends z.ZodType>(
    method: Method,
    path: string,
    schema: Schema,
    options?: CallOptions,
  ): Promise<{ value: z.output<Schema>; headers: Headers }>;
  /** The answer of a call that went well, unread. */
  open(method: Method, path: string, options?: CallOptions): Promise<Response>;
  /** The answer, whatever its status. */
  raw(method: Method, path: string, options?: CallOptions): Promise<Response>;
}

/**
 * For `JSON.stringify`, which would make `null` of such numbers, and of what is undefined in a
 * list: to the hub that is another value.
 */
function refuseLosses(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new TypeError(`Cannot send ${value} as "${key}": JSON has no such number`);
  }
  if (value !== undefined || !Array.isArray(this)) return value;
  throw new TypeError(`Cannot send a list with undefined at ${key}: JSON would have null there`);
}

export function createCalls(transport: Transport, session: Session): Calls {
  async function send(request: Sent, { anonymous, proves }: CallOptions): Promise<Response> {
    const token = anonymous ? undefined : await session.accessToken();
    const response = await transport.send(withToken(request, token));
    if (token === undefined || proves || !await isOfToken(response)) return response;
    await response.body?.cancel();
    return await transport.send(withToken(request, await session.renewed(token)));
  }

  async function raw(method: Method, path: string, options: CallOptions = {}): Promise<Response> {
    const { query, body, content, headers, signal, patienceMs } = options;
    const { once = false, idempotencyKey = crypto.randomUUID() } = options;
    const text = body === undefined ? undefined : JSON.stringify(body, refuseLosses);
    return await send({
      method,
      path,
      query,
      signal,
      ...(patienceMs === undefined ? {} : { patienceMs }),
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(method === "POST" && !once ? { "idempotency-key": idempotencyKey } : {}),
        ...headers,
      },
      body: text === undefined ? content : () => text,
      repeatable: !once,
    }, options);
  }

  async function open(method: Method, path: string, options?: CallOptions): Promise<Response> {
    const response = await raw(method, path, options);
    if (response.status < 300) return response;
    const answer: unknown = await response.json().catch(() => undefined);
    if (options?.proves && response.status === 401) {
      throw new LogInRefusedError(`${method} ${path}`, response.status, readErrorBody(answer));
    }
    throw errorOf(`${method} ${path}`, response.status, answer);
  }

  async function answer<Schema extends z.ZodType>(
    method: Method,
    path: string,
    schema: Schema,
    options?: CallOptions,
  ) {
    const response = await open(method, path, options);
    const url = transport.url;
    const text = await response.text().catch((error) => {
      throw options?.signal?.aborted ? options.signal.reason : new UnreachableError(url, error);
    });
    return { value: parsed(text, schema, `${method} ${path}`), headers: response.headers };
  }

  return {
    raw,
    open,
    answer,
    json: async (method, path, schema, options) =>
      (await answer(method, path, schema, options)).value,
  };
}

/** The sentence of a deletion and the like. */
export type Said = z.infer<typeof said>;

function withToken(request: Sent, token: string | undefined): Sent {
  if (token === undefined) return request;
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
}

/** Whether it is the token that was refused, and not what was asked with it. */
async function isOfToken(response: Response): Promise<boolean> {
  if (response.status !== 401 && response.status !== 422) return false;
  const { code } = readErrorBody(await response.clone().json().catch(() => undefined));
  // v6's own hub has no codes, and answers 401 to whom it forbids something too.
  return code === undefined || code === "unauthenticated" || code === "invalid_token";
}

export function errorOf(request: string, status: number, answer: unknown): ApiError {
  const body = readErrorBody(answer);
  if (status === 404) return new NotFoundError(request, status, body);
  if (body.code === "unauthenticated" || body.code === "invalid_token") {
    return new LoggedOutError(request, status, body);
  }
  if (body.code === "forbidden" || status === 401 || status === 403) {
    return new ForbiddenError(request, status, body);
  }
  return new ApiError(request, status, body);
}

export function parsed<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
  what: string,
): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new StrangeAnswerError(`${what}: the answer is not JSON (${messageOf(cause)})`, {
      cause,
    });
  }
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw new StrangeAnswerError(
    `${what}: the answer is not what this client knows; one of the two is older. ` +
      z.prettifyError(read.error),
  );
}
