/**
 * The form of signed payloads: a header with the label in the clear, and what is signed. What it
 * protects against is told in `services/node/encryption/signed.ts`.
 * @module
 */
import { headerOf, joined, MARK, type SealedHeader } from "./form.ts";
import { type Label, labelSchema } from "./label.ts";
import { RefusedPayloadError, UnreadableError } from "./unreadable_error.ts";

export const TAG_BYTES = 16;
const encoder = new TextEncoder();
/** What the version before wrote, which anybody could. */
const OLD_MARK = encoder.encode("sextant1");
const SIGNED_WORD = encoder.encode("sextant payload 2\0");

/**
 * Whether a header is of this format, or of what it was in the version before. `wrappedBytes` has
 * what was encrypted for the reader's key in v6's format.
 */
export function isSigned({ wrapped }: SealedHeader, wrappedBytes: number): boolean {
  return wrapped.length > wrappedBytes &&
    (beginsWith(wrapped, MARK) || beginsWith(wrapped, OLD_MARK));
}

function beginsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}

export interface SignedParts {
  /** Of the signature, which ends what is encrypted. */
  signatureBytes: number;
  /** The content's key, by RSA-OAEP (SHA-256). */
  wrappedKey: Uint8Array;
}

export function signedHeader(
  label: Label,
  { signatureBytes, wrappedKey, iv }: SignedParts & { iv: Uint8Array },
): string {
  const text = encoder.encode(JSON.stringify(label));
  const sizes = new Uint8Array(4);
  const view = new DataView(sizes.buffer);
  view.setUint16(0, text.length);
  view.setUint16(2, signatureBytes);
  return headerOf([MARK, sizes, text, wrappedKey].reduce(joined), iv);
}

/** What is signed of a payload, by RSASSA-PSS (SHA-256); `digest` is the SHA-256 of its content. */
export function signedBytes(header: string, digest: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined(joined(SIGNED_WORD, encoder.encode(header)), digest);
}

/** Throws an {@linkcode UnreadableError}. */
export function readLabel(wrapped: Uint8Array): SignedParts & { label: Label } {
  if (beginsWith(wrapped, OLD_MARK)) {
    throw new RefusedPayloadError(
      "it is in the format of the agent's version before, which does not say who wrote it. " +
        "Once all agents are updated, have the task done again",
    );
  }
  const rest = wrapped.subarray(MARK.length);
  const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
  try {
    const length = view.getUint16(0);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(rest.subarray(4, 4 + length));
    return {
      label: labelSchema.parse(JSON.parse(text)),
      signatureBytes: view.getUint16(2),
      wrappedKey: rest.subarray(4 + length),
    };
  } catch {
    throw new UnreadableError();
  }
}
