/**
 * A value as v6's plain payload: JSON in base64. What `undefined` and the like become is JSON's
 * choice; a value that JSON cannot hold throws a TypeError.
 */
export function encodePayload(value: unknown): string {
  return new TextEncoder().encode(JSON.stringify(value) ?? "null").toBase64();
}
