/**
 * What tells one encrypted payload from every other.
 * @module
 */
import { createHash } from "node:crypto";
import { endOfHeader, HEADER_LIMIT } from "../../../shared/payload/form.ts";

/**
 * What tells a payload from every other, the same whether it is a text or a blob: the digest of its
 * header, in which there is a key that was made for it alone. `null` for what is not encrypted.
 */
export function payloadId(stored: string | Uint8Array): string | null {
  const bytes = typeof stored === "string"
    ? new TextEncoder().encode(stored.slice(0, HEADER_LIMIT))
    : stored;
  const end = endOfHeader(bytes);
  return end < 0 ? null : idOfHeader(bytes.subarray(0, end));
}

export function idOfHeader(header: string | Uint8Array): string {
  return createHash("sha256").update(header).digest("hex");
}
