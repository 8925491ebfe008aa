/**
 * How an organization's public key is told from another: by a digest that people can compare.
 * @module
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { isRsaPublicKey } from "../payload/rsa_public_key.ts";

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

/**
 * Why the shell does not store this as an organization's public key; `undefined` when it does. What
 * is no key at all it stores as it was received (no node uses that); but everybody sees the record,
 * so a private key never, and no key of another kind than nodes can use.
 */
export function whyNoPublicKey(text: string): string | undefined {
  if (text === "" || isRsaPublicKey(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  const both = `${text}\n${bytes.toString("latin1")}`;
  if (/PRIVATE KEY/.test(both) || isPrivateKey(bytes)) {
    return "it is a private one, which nobody else may see: make a new pair";
  }
  if (![text, bytes.toString("latin1")].some(isPublicKey)) return undefined;
  return "it must be base64 of an RSA public key in PEM (-----BEGIN PUBLIC KEY-----)";
}

function isPublicKey(pem: string): boolean {
  try {
    createPublicKey(pem);
    return true;
  } catch {
    return false;
  }
}

function isPrivateKey(der: Buffer): boolean {
  return (["pkcs8", "pkcs1", "sec1"] as const).some((type) => {
    try {
      createPrivateKey({ key: der, format: "der", type });
      return true;
    } catch {
      return false;
    }
  });
}
