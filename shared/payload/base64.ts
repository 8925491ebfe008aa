/**
 * Base64 of bytes. Node.js before 25 has no `Uint8Array.fromBase64`.
 * @module
 */

const PIECE = 0x8000;

export function toBase64(bytes: Uint8Array): string {
  if (bytes.toBase64) return bytes.toBase64();
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) {
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + PIECE)));
  }
  return btoa(pieces.join(""));
}

/** Throws a SyntaxError (a DOMException in Node.js) for what is no base64. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
