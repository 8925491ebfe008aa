/**
 * A container engine, Docker or Podman, over its Docker-compatible API on a unix socket.
 * @module
 */
import { z } from "zod";
import { messageOf } from "../../../../shared/errors.ts";

const API = "http://engine/v1.41";
/** What only Podman has. */
const PODMAN_API = "http://engine/v4.0.0/libpod";

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
  /** One request; throws an {@linkcode EngineError} for every answer that is no success. The caller reads the body. */
  request(method: string, path: string, options?: EngineRequest): Promise<Response>;
  /** The same, with a JSON answer of this shape. */
  json<T>(method: string, path: string, schema: z.ZodType<T>, options?: EngineRequest): Promise<T>;
  /** The same, of which nothing but success matters. */
  done(method: string, path: string, options?: EngineRequest): Promise<void>;
  close(): void;
}

export function createEngine(socket: string): Engine {
  const client = Deno.createHttpClient({
    proxy: { transport: "unix", path: socket },
    // A connection each: what waits for a container to end must not be shared with anything.
    poolMaxIdlePerHost: 0,
  });

  async function request(
    method: string,
    path: string,
    { body, headers, signal, podman }: EngineRequest = {},
  ): Promise<Response> {
    let response: Response;
    try {
      response = await fetch((podman ? PODMAN_API : API) + path, {
        method,
        client,
        headers: {
          ...headers,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal ? { signal } : {}),
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw new EngineError(
        `Cannot reach the container engine at ${socket}: ${messageOf(cause)}`,
        undefined,
        { cause },
      );
    }
    if (response.ok || response.status === 304) return response;
    throw new EngineError(readMessage(await response.text()), response.status);
  }

  async function read(method: string, path: string, options?: EngineRequest): Promise<string> {
    const response = await request(method, path, options);
    try {
      return await response.text();
    } catch (cause) {
      throw new EngineError("The container engine broke off its answer", undefined, { cause });
    }
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
    close: () => client.close(),
  };
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

/** What the engine cannot limit. A rootless Podman on cgroups v1 says that it can, and does nothing. */
export function missingLimits(
  { MemoryLimit, PidsLimit, Rootless, CgroupVersion }: EngineInfo,
): string[] {
  const none = Rootless && CgroupVersion === "1";
  return [
    ...(MemoryLimit && !none ? [] : ["memory"]),
    ...(PidsLimit && !none ? [] : ["number of processes"]),
  ];
}

/** What the engine says of itself; rejects with an {@linkcode EngineError} when it does not answer. */
export function engineInfo(engine: Engine): Promise<EngineInfo> {
  return engine.json("GET", "/info", infoSchema, { signal: AbortSignal.timeout(10_000) });
}

/** Podman's version, or `undefined` for another engine. */
export async function podmanVersion(engine: Engine): Promise<string | undefined> {
  const schema = z.object({
    Components: z.array(z.object({ Name: z.string(), Version: z.string() })).default([]),
  });
  const { Components } = await engine.json("GET", "/version", schema);
  return Components.find(({ Name }) => Name === "Podman Engine")?.Version;
}

/** The first of `sockets` behind which an engine answers. */
export async function findEngine(sockets: readonly string[]): Promise<Engine | undefined> {
  for (const socket of sockets) {
    const info = await Deno.stat(socket).catch(() => undefined);
    if (!info?.isSocket) continue;
    const engine = createEngine(socket);
    if (await engineInfo(engine).then(() => true, () => false)) return engine;
    engine.close();
  }
  return undefined;
}
