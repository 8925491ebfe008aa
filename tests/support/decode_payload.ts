/** The value in a plain payload, which is JSON in base64; `null` for an empty one. */
export function decodePayload(text: string): unknown {
  if (text === "") return null;
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(text)));
}
