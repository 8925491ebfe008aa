/**
 * Pulling an image with the owner's log-in for its registry.
 * @module
 */
import { z } from "zod";
import type { Logger } from "../../../shared/service/log.ts";
import { type Engine, EngineError } from "./engine.ts";
import type { ImageReference } from "./image_reference.ts";

export interface RegistryLogin {
  /** Host name, with a port if need be. */
  registry: string;
  username: string;
  password: string;
}

export interface PullImageOptions {
  engine: Engine;
  logins: readonly RegistryLogin[];
  /** How long all of it may take. */
  timeoutMs: number;
  /** How long the engine may have nothing to tell; without it, as long as it likes. */
  patienceMs?: number | undefined;
  log: Logger;
}

/** Pulls; rejects with an Error that says why that cannot be done. */
export async function pullImage(
  { full, registry }: ImageReference,
  { engine, logins, timeoutMs, patienceMs, log }: PullImageOptions,
): Promise<void> {
  const started = performance.now();
  const login = logins.find((one) => serves(one.registry, registry));
  const separator = full.includes("@") ? full.lastIndexOf("@") : full.lastIndexOf(":");
  const query = new URLSearchParams({
    fromImage: full.slice(0, separator),
    tag: full.slice(separator + 1),
  });
  const giveUp = new AbortController();
  let silence: ReturnType<typeof setTimeout> | undefined;
  function hear(): void {
    clearTimeout(silence);
    if (patienceMs === undefined) return;
    silence = setTimeout(() => {
      giveUp.abort(new Error(`${registry} has not answered within ${patienceMs / 1000} seconds`));
    }, patienceMs);
  }
  hear();
  try {
    const answer = await engine.request("POST", `/images/create?${query}`, {
      signal: AbortSignal.any([giveUp.signal, AbortSignal.timeout(timeoutMs)]),
      headers: login ? { "x-registry-auth": encodeLogin(login) } : {},
    });
    let shown = performance.now();
    for await (const { status, error } of progressOf(answer)) {
      hear();
      if (error) throw new EngineError(error);
      if (status && performance.now() - shown > 10_000) {
        shown = performance.now();
        log.info("Pulling", { image: full, status });
      }
    }
  } catch (error) {
    giveUp.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(silence);
  }
  log.info("Pulled", { image: full, ms: Math.round(performance.now() - started) });
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
