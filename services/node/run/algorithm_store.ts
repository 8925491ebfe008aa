/**
 * From the reference in a task to a file on this machine: `deno:<name>@<version>` is a file in one
 * of the node's algorithm folders or of the library that comes with it,
 * `deno:<https address>#sha256=<digest>` is fetched once. What is to run is kept under its digest:
 * whatever becomes of the file that it was, those bytes run and no others.
 *
 * What an error here says travels to the researcher, so it names no path and nothing of the node's
 * network.
 * @module
 */
import { basename, dirname, extname, join } from "node:path";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { closest } from "../../../shared/command_line/closest.ts";
import { libraryPackages, packedFromLibrary } from "../algorithms/library.ts";
import { codeOf } from "./code.ts";

/** An algorithm that can be run here. */
export interface ResolvedAlgorithm {
  /** What people call it, as a file name; stands in messages instead of the path. */
  name: string;
  /** Absolute path of a regular file, which is named by its digest and never changes. */
  path: string;
  /** Which code it is, by its bytes. */
  code: string;
  /** Of this project, so that what it says of itself can be read without running it. */
  fromLibrary?: true;
}

export interface ResolveAlgorithmOptions {
  /** Searched in this order. */
  folders: readonly string[];
  /** Whether the library is there, too, behind the folders. */
  library?: boolean | undefined;
  /** Where algorithms are kept; made if need be. */
  cacheDir: string;
  fetch?: typeof globalThis.fetch;
  /** Accept `http:` on the machine itself. For tests. */
  allowLoopbackHttp?: boolean;
  maxBytes?: number;
  timeoutMs?: number;
}

const NAMED = /^([a-z0-9][a-z0-9_-]{0,63})@([0-9][A-Za-z0-9.+-]{0,31})$/i;
const DIGEST = /^#sha256=([0-9a-f]{64})$/i;
/** Ends the name of what is not whole yet. */
const DRAFT = ".new";
const EXTENSIONS = [".ts", ".js", ".mjs", ".mts"];

/**
 * Finds or fetches the algorithm that `reference` names. Throws a SextantError whose message says,
 * for the researcher, why it cannot be used; its cause is for the node's own log.
 */
export async function resolveAlgorithm(
  reference: string,
  options: ResolveAlgorithmOptions,
): Promise<ResolvedAlgorithm> {
  const [, rest] = /^deno:(.*)$/s.exec(reference) ?? [];
  if (rest === undefined) {
    throw new SextantError(
      "invalid_request",
      `The algorithm ${
        shown(reference)
      } cannot be run: this node has no container engine, so container images are not supported. ` +
        "It runs deno:<name>@<version> and deno:<https address>#sha256=<digest>.",
    );
  }
  if (/^https?:/i.test(rest)) return await fetched(rest, options);
  const [, name, version] = NAMED.exec(rest) ?? [];
  if (name === undefined) {
    throw new SextantError(
      "invalid_request",
      `The algorithm ${shown(reference)} is not a valid reference. ` +
        "Write deno:<name>@<version>, for example deno:average@1.0.0, or deno:<https address>#sha256=<digest>.",
    );
  }
  return await fromFolders(`${name}@${version}`, options);
}

// -- in the folders -------------------------------------------------------------------------------

async function fromFolders(
  name: string,
  { folders, library = false, cacheDir }: ResolveAlgorithmOptions,
): Promise<ResolvedAlgorithm> {
  const file = `${name}.ts`;
  for (const folder of folders) {
    const path = join(folder, file);
    const info = await Deno.lstat(path).catch(() => undefined);
    if (!info?.isFile) continue;
    const bytes = await Deno.readFile(path).catch((cause) => {
      throw new SextantError("not_found", `This node cannot read its file of deno:${name}.`, {
        cause,
      });
    });
    return await keptUnderDigest(file, bytes, cacheDir);
  }
  const packed = library && await packedFromLibrary(name, cacheDir).catch((cause) => {
    throw new SextantError("internal", `This node cannot make its file of deno:${name}.`, {
      cause,
    });
  });
  if (packed) {
    return { ...await keptUnderDigest(`${name}.js`, packed, cacheDir), fromLibrary: true };
  }
  // By the name alone: a version in common makes no two names alike.
  const bare = (one: string) => one.split("@", 1)[0]!;
  const names = await algorithmNames({ folders, library });
  const nearName = closest(bare(name), names.map(bare));
  const near = names.find((one) => bare(one) === nearName);
  throw new SextantError(
    "not_found",
    `This node has no algorithm deno:${name}.` + (near ? ` Did you mean deno:${near}?` : ""),
  );
}

async function keptUnderDigest(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  cacheDir: string,
): Promise<ResolvedAlgorithm> {
  const digest = await sha256Hex(bytes);
  const path = join(cacheDir, digest + extname(name));
  if (!await isKept(path, digest)) await keep(path, bytes);
  return { name, path, code: codeOf(digest) };
}

/** The algorithms that a node has by name: `average@1.0.0`. */
export async function algorithmNames(
  { folders, library }: Pick<ResolveAlgorithmOptions, "folders" | "library">,
): Promise<string[]> {
  const names = library ? (await libraryPackages()).map(({ name }) => name) : [];
  for (const folder of folders) {
    const files = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
    for (const { name } of files) {
      if (NAMED.test(basename(name, ".ts"))) names.push(basename(name, ".ts"));
    }
  }
  return [...new Set(names)].sort();
}

// -- from an address ------------------------------------------------------------------------------

async function fetched(
  text: string,
  options: ResolveAlgorithmOptions,
): Promise<ResolvedAlgorithm> {
  const { url, digest, extension } = parseAddress(text, options);
  const name = `${digest.slice(0, 12)}${extension}`;
  const path = join(options.cacheDir, `${digest}${extension}`);

  const algorithm = { name, path, code: codeOf(digest) };
  if (await isKept(path, digest)) return algorithm;

  const bytes = await download(url, options);
  const actual = await sha256Hex(bytes);
  if (actual !== digest) {
    throw new SextantError(
      "invalid_request",
      `The algorithm from ${url.host} is not the one that was asked for: its SHA-256 is ${actual}, not ${digest}.`,
    );
  }
  await keep(path, bytes);
  return algorithm;
}

function parseAddress(
  text: string,
  { allowLoopbackHttp = false }: ResolveAlgorithmOptions,
): { url: URL; digest: string; extension: string } {
  function refuse(why: string): never {
    throw new SextantError(
      "invalid_request",
      `The algorithm's address ${shown(text)} cannot be used: ${why}`,
    );
  }
  const url = URL.parse(text) ?? refuse("it is not a valid address.");
  const [, digest] = DIGEST.exec(url.hash) ??
    refuse("it must end in #sha256= and the 64 hexadecimal digits of the file's SHA-256.");
  const loopback = ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  if (url.protocol !== "https:" && !(allowLoopbackHttp && loopback)) refuse("it must be https.");
  if (url.username || url.password) refuse("it must not contain a user name or password.");
  const extension = extname(url.pathname).toLowerCase();
  if (!EXTENSIONS.includes(extension)) refuse(`its path must end in ${EXTENSIONS.join(", ")}.`);
  url.hash = "";
  return { url, digest: digest!.toLowerCase(), extension };
}

async function download(
  url: URL,
  { fetch = globalThis.fetch, maxBytes = 8 * 2 ** 20, timeoutMs = 30_000 }: ResolveAlgorithmOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = new SextantError(
    "payload_too_large",
    `The algorithm from ${url.host} is larger than the ${maxBytes} bytes that this node accepts.`,
  );
  try {
    // A redirect could lead to any address that this machine can reach.
    const response = await fetch(url, {
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok || !response.body) throw new Error(`HTTP status ${response.status}`);
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    for await (const piece of response.body) {
      size += piece.length;
      if (size > maxBytes) throw tooLarge;
      pieces.push(piece);
    }
    return new Uint8Array(await new Blob(pieces).arrayBuffer());
  } catch (cause) {
    if (cause === tooLarge) throw cause;
    throw new SextantError(
      "bad_gateway",
      `The node could not fetch the algorithm from ${url.host}; the node's own log says why.`,
      { cause },
    );
  }
}

// -- under its digest -----------------------------------------------------------------------------

async function isKept(path: string, digest: string): Promise<boolean> {
  const kept = await Deno.readFile(path).catch(() => undefined);
  return kept !== undefined && await sha256Hex(kept) === digest;
}

async function keep(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path);
  await Deno.mkdir(folder, { recursive: true });
  const fresh = await Deno.makeTempFile({ dir: folder, suffix: DRAFT });
  await Deno.writeFile(fresh, bytes);
  await Deno.rename(fresh, path);
}

/** Removes what an agent that died has half written to `cacheDir`; for when nobody writes there. */
export async function removeDrafts(cacheDir: string): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(cacheDir)).catch(() => []);
  for (const { name } of entries) {
    if (name.endsWith(DRAFT)) await Deno.remove(join(cacheDir, name));
  }
}

function shown(reference: string): string {
  return JSON.stringify(reference.length > 200 ? `${reference.slice(0, 200)}…` : reference);
}
