/**
 * JSON in base64: the field's plain payload format, and the claims of a token.
 * @module
 */
import type { z } from "zod";

/** What `undefined` and the like become is JSON's choice; a value JSON cannot hold throws a TypeError. */
export function encodePayload(value: unknown): string {
  return new TextEncoder().encode(JSON.stringify(value) ?? "null").toBase64();
}

/** The value in a payload; `null` for an empty one. Throws a SyntaxError for what is not such a payload. */
export function decodePayload(text: string): unknown {
  if (text === "") return null;
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(text)));
}

/** The claims of a JWT that the hub gave this node. The signature is the hub's business: it is not checked. */
export function claimsOf<Claims>(jwt: string, schema: z.ZodType<Claims>): Claims {
  const bytes = Uint8Array.fromBase64(jwt.split(".")[1] ?? "", { alphabet: "base64url" });
  return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
}
