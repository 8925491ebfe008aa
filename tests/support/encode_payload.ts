/** A value as a plain payload, which is JSON in base64. */
export function encodePayload(value: unknown): string {
  return new TextEncoder().encode(JSON.stringify(value)).toBase64();
}
