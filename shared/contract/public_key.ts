/**
 * How an organization's public key is told from another: by a digest that people can compare.
 * @module
 */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";

/**
 * `sha256:…` of a key, as `openssl pkey -pubin -outform DER | sha256sum` computes it: the same
 * however the key's text is broken into lines.
 */
export function fingerprintOf(key: KeyObject): string {
  return digest(key.export({ type: "spki", format: "der" }));
}

/**
 * The fingerprint of a key as an organization's record holds it: base64 of its PEM (contract §7.2).
 * What is no key has one too, so that every change of it shows; an empty text is null.
 */
export function fingerprintOfText(text: string): string | null {
  if (text === "") return null;
  try {
    return fingerprintOf(createPublicKey(atob(text)));
  } catch {
    return digest(text);
  }
}

function digest(bytes: string | Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
