import type { Context } from "hono";
import { SextantError } from "../../../../shared/service/errors.ts";

/** The token that a request carries; `undefined` when it carries none. */
export function bearerOf(c: Context): string | undefined {
  return /^Bearer (\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
}

/** The same; 401 without one. */
export function requireBearer(c: Context): string {
  const token = bearerOf(c);
  if (token) return token;
  throw new SextantError("unauthenticated", "Send the token as a bearer token.");
}
