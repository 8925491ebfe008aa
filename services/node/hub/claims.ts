import type { z } from "zod";

/**
 * The claims of a JWT that the hub gave this node, read by `schema`. The signature is the hub's
 * business: it is not checked. Throws a SyntaxError or a ZodError for what is no such token.
 */
export function claimsOf<Claims>(jwt: string, schema: z.ZodType<Claims>): Claims {
  const bytes = Uint8Array.fromBase64(jwt.split(".")[1] ?? "", { alphabet: "base64url" });
  return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
}
