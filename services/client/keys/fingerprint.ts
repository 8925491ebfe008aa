/**
 * How keys are told from one another: by a digest that people can compare.
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** `sha256:…` of a public key, as `openssl pkey -pubin -outform DER | sha256sum` computes it. */
export async function fingerprintOf(der: Bytes): Promise<string> {
  return `sha256:${hexOf(await sha256(der))}`;
}

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
