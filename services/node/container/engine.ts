/**
 * A container engine, Docker or Podman, over its Docker-compatible API on a unix socket.
 * @module
 */
import { Buffer } from "node:buffer";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";

const API = "/v1.41";
/** What only Podman has. */
const PODMAN_API = "/v4.0.0/libpod";

/** The engine refused, or could not be asked; then there is no status. */
export class EngineError extends Error {
  override name = "EngineError";
  constructor(message: string, readonly status?: number, options?: ErrorOptions) {
    super(message, options);
  }
}

export interface EngineRequest {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Asks Podman's own API. */
  podman?: boolean;
}

export interface Engine {
  readonly socket: string;
  /**
   * One request; throws an {@linkcode EngineError} for every answer that is no success. The caller
   * reads the body.
   */
  request(
    method: string,
    path: string,
    options?: EngineRequest,
  ): Promise<AsyncIterable<Uint8Array>>;
  /** The same, with a JSON answer of this shape. */
  json<T>(method: string, path: string, schema: z.ZodType<T>, options?: EngineRequest): Promise<T>;
  /** The same, of which nothing but success matters. */
  done(method: string, path: string, options?: EngineRequest): Promise<void>;
}

export function createEngine(socket: string): Engine {
  async function request(
    method: string,
    path: string,
    { body, headers, signal, podman }: EngineRequest = {},
  ): Promise<AsyncIterable<Uint8Array>> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const json = body === undefined ? {} : { "content-type": "application/json" };
    // Not `fetch`: with Deno 2.9.6 it stands still for seconds when it opens many connections to a
    // unix socket at once.
    const asked = httpRequest({
      socketPath: socket,
      method,
      path: (podman ? PODMAN_API : API) + path,
      headers: { ...headers, ...json },
      // A connection each: what waits for a container to end must not be shared with anything.
      agent: false,
      ...(signal ? { signal } : {}),
    }, resolve);
    asked.on("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    let answer: IncomingMessage;
    try {
      answer = await promise;
    } catch (cause) {
      signal?.throwIfAborted();
      throw new EngineError(
        `Cannot reach the container engine at ${socket}: ${messageOf(cause)}`,
        undefined,
        { cause },
      );
    }
    const { statusCode: status = 0 } = answer;
    if ((status >= 200 && status < 300) || status === 304) return answer;
    throw new EngineError(readMessage(await textOf(answer)), status);
  }

  async function read(method: string, path: string, options?: EngineRequest): Promise<string> {
    return await textOf(await request(method, path, options));
  }

  return {
    socket,
    request,
    async json(method, path, schema, options) {
      const text = await read(method, path, options);
      try {
        return schema.parse(JSON.parse(text));
      } catch (cause) {
        throw new EngineError(
          `The container engine answered ${method} ${path} in an unexpected shape`,
          undefined,
          { cause },
        );
      }
    },
    async done(method, path, options) {
      await read(method, path, options);
    },
  };
}

async function textOf(answer: AsyncIterable<Uint8Array>): Promise<string> {
  try {
    return new TextDecoder().decode(Buffer.concat(await Array.fromAsync(answer)));
  } catch (cause) {
    throw new EngineError("The container engine broke off its answer", undefined, { cause });
  }
}

/** The engine's own words in an answer. */
function readMessage(text: string): string {
  try {
    return z.object({ message: z.string(), cause: z.string().optional() }).parse(JSON.parse(text))
      .message;
  } catch {
    return text.slice(0, 500);
  }
}

/** Where engines keep their sockets, the most particular first. */
export function usualSockets(env: Record<string, string | undefined>): string[] {
  const host = env.DOCKER_HOST?.match(/^unix:\/\/(\/.+)$/)?.[1];
  if (host) return [host];
  const own = env.XDG_RUNTIME_DIR;
  return [
    ...(own ? [`${own}/podman/podman.sock`, `${own}/docker.sock`] : []),
    "/run/podman/podman.sock",
    "/var/run/docker.sock",
  ];
}

const infoSchema = z.object({
  ServerVersion: z.string().default("?"),
  MemTotal: z.number().default(0),
  NCPU: z.number().default(1),
  MemoryLimit: z.boolean().default(true),
  SwapLimit: z.boolean().default(true),
  PidsLimit: z.boolean().default(true),
  Rootless: z.boolean().default(false),
  CgroupVersion: z.string().default("2"),
});
export type EngineInfo = z.infer<typeof infoSchema>;

/**
 * What the engine cannot limit. A rootless Podman on cgroups v1 says that it can, and does nothing.
 */
export function missingLimits(
  { MemoryLimit, PidsLimit, Rootless, CgroupVersion }: EngineInfo,
): string[] {
  const none = Rootless && CgroupVersion === "1";
  return [
    ...(MemoryLimit && !none ? [] : ["memory"]),
    ...(PidsLimit && !none ? [] : ["number of processes"]),
  ];
}

/**
 * What the engine says of itself; rejects with an {@linkcode EngineError} when it does not answer.
 */
export function engineInfo(engine: Engine): Promise<EngineInfo> {
  return engine.json("GET", "/info", infoSchema, { signal: AbortSignal.timeout(10_000) });
}

/** Podman's version, or `undefined` for another engine. Rejects as {@linkcode engineInfo} does. */
export async function podmanVersion(engine: Engine): Promise<string | undefined> {
  const schema = z.object({
    Components: z.array(z.object({ Name: z.string(), Version: z.string() })).default([]),
  });
  const { Components } = await engine.json("GET", "/version", schema);
  return Components.find(({ Name }) => Name === "Podman Engine")?.Version;
}

/** An engine, as far as runs have to know it. */
export interface About extends EngineInfo {
  /** Podman's version, or `undefined` for another engine. */
  podman: string | undefined;
}

/**
 * Both of the above. Podman looks for its programs' packages meanwhile, which takes it longer than
 * a start does.
 */
export async function aboutEngine(engine: Engine): Promise<About> {
  return { ...await engineInfo(engine), podman: await podmanVersion(engine) };
}

/** The first of `sockets` behind which an engine answers. */
export async function findEngine(sockets: readonly string[]): Promise<Engine | undefined> {
  for (const socket of sockets) {
    const info = await Deno.stat(socket).catch(() => undefined);
    if (!info?.isSocket) continue;
    const engine = createEngine(socket);
    if (await engineInfo(engine).then(() => true, () => false)) return engine;
  }
  return undefined;
}
