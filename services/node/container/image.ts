/**
 * Getting an algorithm's image onto this machine: pulled with the owner's log-ins, and fixed by its
 * id, so that what was looked at is what runs.
 * @module
 */
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { orAbort } from "../../../shared/service/or_abort.ts";
import { type Engine, EngineError } from "./engine.ts";

export interface RegistryLogin {
  /** Host name, with a port if need be. */
  registry: string;
  username: string;
  password: string;
}

/** The image cannot be had. The message is for the researcher. */
export class ImageError extends Error {
  override name = "ImageError";
}

export interface Images {
  /**
   * Pulls `reference` and gives the id of its image; callers at the same time share one pull.
   * Throws an {@linkcode ImageError}.
   */
  get(reference: string, signal: AbortSignal): Promise<string>;
}

/** What of the node's configuration concerns pulls. */
export interface PullOptions {
  logins: readonly RegistryLogin[];
  /** Whether an image that cannot be pulled is refused even though it is here. */
  requirePull: boolean;
  pullTimeoutSeconds: number;
}

export interface ImagesOptions extends PullOptions {
  engine: Engine;
  log: Logger;
}

export function createImages(
  { engine, logins, requirePull, pullTimeoutSeconds, log }: ImagesOptions,
): Images {
  const underWay = new Map<string, Promise<string>>();

  async function fetchImage(reference: string): Promise<string> {
    const parts = readReference(reference);
    let refusal: string | undefined;
    try {
      await pull(parts, reference);
    } catch (error) {
      refusal = messageOf(error);
      log.warn("Cannot pull an image", { image: reference, reason: refusal });
    }
    // Asked for in full first: a short name means the one of Docker Hub, whatever lies here under
    // it.
    const id = await idOf(parts.full) ?? await idOf(reference);
    if (id !== undefined && (refusal === undefined || !requirePull)) return id;
    const why = refusal ?? "the engine does not know it after the pull";
    throw new ImageError(
      id === undefined
        ? `The image ${reference} cannot be had: ${why}`
        : `The image ${reference} is on this node but cannot be pulled, which policies.require_algorithm_pull demands: ${why}`,
    );
  }

  async function pull({ full, registry }: ImageReference, reference: string): Promise<void> {
    const started = performance.now();
    const login = logins.find((one) => serves(one.registry, registry));
    const separator = full.includes("@") ? full.lastIndexOf("@") : full.lastIndexOf(":");
    const query = new URLSearchParams({
      fromImage: full.slice(0, separator),
      tag: full.slice(separator + 1),
    });
    const answer = await engine.request("POST", `/images/create?${query}`, {
      signal: AbortSignal.timeout(pullTimeoutSeconds * 1000),
      headers: login ? { "x-registry-auth": encodeLogin(login) } : {},
    });
    let shown = performance.now();
    for await (const { status, error } of progressOf(answer)) {
      if (error) throw new EngineError(error);
      if (status && performance.now() - shown > 10_000) {
        shown = performance.now();
        log.info("Pulling", { image: reference, status });
      }
    }
    log.info("Pulled", { image: reference, ms: Math.round(performance.now() - started) });
  }

  async function idOf(name: string): Promise<string | undefined> {
    try {
      const schema = z.object({ Id: z.string() });
      return (await engine.json("GET", `/images/${name}/json`, schema)).Id;
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return undefined;
      throw error;
    }
  }

  return {
    get(reference, signal) {
      let pulling = underWay.get(reference);
      if (!pulling) {
        pulling = fetchImage(reference).finally(() => underWay.delete(reference));
        pulling.catch(() => {}); // whoever asked may have gone
        underWay.set(reference, pulling);
      }
      return orAbort(pulling, signal);
    },
  };
}

interface ImageReference {
  registry: string;
  /** With registry and with tag or digest. */
  full: string;
}

const REFERENCE =
  /^(?:(?<registry>localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+|[a-z0-9.-]+(?=:\d+\/))(?<port>:\d{1,5})?\/)?(?<path>[a-z0-9]+(?:(?:[./]|__?|-+)[a-z0-9]+)*)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

/**
 * Reads a reference as Docker does: without a registry it is Docker Hub's. Throws an {@linkcode
 * ImageError}.
 */
export function readReference(reference: string): ImageReference {
  const groups = REFERENCE.exec(reference)?.groups;
  if (!groups) {
    throw new ImageError(
      `${
        JSON.stringify(reference.slice(0, 200))
      } is not the name of an image. Write registry/name:tag or registry/name@sha256:digest.`,
    );
  }
  const registry = groups.registry ? groups.registry + (groups.port ?? "") : "docker.io";
  const path = groups.registry || groups.path!.includes("/")
    ? groups.path
    : `library/${groups.path}`;
  // With both, the digest decides.
  const end = groups.digest ? `@${groups.digest}` : `:${groups.tag ?? "latest"}`;
  return { registry, full: `${registry}/${path}${end}` };
}

function serves(configured: string, registry: string): boolean {
  const host = configured.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return host === registry ||
    (registry === "docker.io" && /^(index|registry-1)\.docker\.io$/.test(host));
}

function encodeLogin({ registry, username, password }: RegistryLogin): string {
  const text = JSON.stringify({ username, password, serveraddress: registry });
  return new TextEncoder().encode(text).toBase64({ alphabet: "base64url" });
}

const progressSchema = z.object({
  status: z.string().optional(),
  error: z.string().optional(),
}).catch({});

/** What the engine tells while it pulls: one JSON object a line. */
async function* progressOf(answer: AsyncIterable<Uint8Array>) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of answer) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line.trim()) yield parseProgress(line);
  }
  if (rest.trim()) yield parseProgress(rest);
}

function parseProgress(line: string) {
  try {
    return progressSchema.parse(JSON.parse(line));
  } catch {
    return {};
  }
}
