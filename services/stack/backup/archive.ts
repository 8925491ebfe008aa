/**
 * The file of a backup: a tar archive whose last part is the manifest with the SHA-256 of all
 * others. It is written in one go and read in one go, whatever its size; `tar` reads it, too.
 * @module
 */
import { createHash } from "node:crypto";
import { createTarDecoder, createTarPacker } from "modern-tar";
import { messageOf } from "../../../shared/service/errors.ts";
import { MANIFEST, type Manifest, manifestSchema, type Part } from "./manifest.ts";

type Bytes = ReadableStream<Uint8Array>;

export interface ArchiveWriter {
  content: Bytes;
  /** Adds a part; resolves once it was taken. */
  add(name: string, content: Uint8Array): Promise<void>;
  /** Adds the manifest and ends the archive. */
  finish(about: Omit<Manifest, "format" | "version" | "parts">): Promise<Manifest>;
  fail(error: unknown): void;
}

export function createArchive(now: () => Date): ArchiveWriter {
  const { readable, controller } = createTarPacker();
  const parts: Part[] = [];

  async function write(name: string, content: Uint8Array): Promise<void> {
    const header = { name, size: content.length, type: "file", mode: 0o600, mtime: now() } as const;
    const writer = controller.add(header).getWriter();
    await writer.write(content);
    await writer.close();
  }

  return {
    content: readable,
    async add(name, content) {
      parts.push({ name, bytes: content.length, sha256: sha256(content) });
      await write(name, content);
    },
    async finish(about) {
      const manifest = { format: "sextant backup", version: 1, ...about, parts } as const;
      await write(MANIFEST, new TextEncoder().encode(JSON.stringify(manifest, null, 2) + "\n"));
      controller.finalize();
      return manifest;
    },
    fail: (error) => controller.error(error),
  };
}

const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");

/** No part is larger: what is longer is in pieces. */
export const MOST_OF_A_PART = 16 * 2 ** 20;

/**
 * Reads an archive to its end and gives each part, whose length alone was looked at, to `take`;
 * resolves to the manifest once all of it agrees with that, and throws what is wrong otherwise.
 */
export async function readArchive(
  content: Bytes,
  take: (name: string, content: Uint8Array<ArrayBuffer>) => Promise<void> | void,
): Promise<Manifest> {
  const found: Part[] = [];
  let manifest: Manifest | undefined;
  try {
    const entries = content.pipeThrough(createTarDecoder({ strict: true }));
    for await (const { header, body } of entries) {
      const { name, size, type } = header;
      if (manifest) throw new Error(`${name} comes after the manifest`);
      if (type !== "file") throw new Error(`${name} is a ${type}`);
      if (size > MOST_OF_A_PART) throw new Error(`${name} is too long: ${size} bytes`);
      const bytes = new Uint8Array(await new Response(body as BodyInit).arrayBuffer());
      if (name === MANIFEST) {
        manifest = manifestSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
      } else {
        found.push({ name, bytes: bytes.length, sha256: sha256(bytes) });
        await take(name, bytes);
      }
    }
  } catch (cause) {
    throw new Error(`Cannot use the backup: ${messageOf(cause)}`, { cause });
  }
  if (!manifest) throw new Error("Cannot use the backup: its end is missing");
  const wrong = manifest.parts.find((part, at) => !isSame(part, found[at]))?.name ??
    found[manifest.parts.length]?.name;
  if (wrong === undefined) return manifest;
  throw new Error(`Cannot use the backup: ${wrong} is damaged, missing, or not of it`);
}

const isSame = (one: Part, other: Part | undefined) =>
  one.name === other?.name && one.bytes === other.bytes && one.sha256 === other.sha256;
