/**
 * One line of the audit log: what a record must have, and the digests in it.
 * @module
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { readPieces } from "../payload/pieces.ts";

/** What the first record names as the one before it. */
export const FIRST = "0".repeat(64);

const recordSchema = z.looseObject({
  seq: z.number().int(),
  at: z.string(),
  event: z.string(),
  prev: z.string(),
  hash: z.string(),
});

export type AuditRecord = z.infer<typeof recordSchema>;

/** The SHA-256 of some content as the log states it. */
export function digestOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The length and the SHA-256 of a file, read piece by piece. */
export async function digestOfFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of readPieces(path)) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** A record whose digest is right, or what is wrong with it. */
export function readAuditLine(line: string): AuditRecord | string {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return "is no JSON";
  }
  const parsed = recordSchema.safeParse(json);
  if (!parsed.success) return "has the wrong shape";
  const { hash } = parsed.data;
  const { hash: _, ...rest } = json as Record<string, unknown>;
  return digestOf(JSON.stringify(rest)) === hash ? parsed.data : "was changed";
}
