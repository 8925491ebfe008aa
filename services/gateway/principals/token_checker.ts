/**
 * Access tokens, verified. A signature costs more to check than all the rest of a request, and the
 * same token comes again and again: so it is remembered.
 * @module
 */
import { type Claims, verifyToken } from "../../../shared/contract/tokens.ts";
import type { Ask } from "../../../shared/messages/questions.ts";
import { createPublicKeys } from "./public_keys.ts";

export interface TokenCheckerOptions {
  ask: Ask;
  /** In milliseconds since 1970. */
  now: () => number;
  /** Tokens that are remembered. */
  maxEntries: number;
}

export interface TokenChecker {
  /** What a token says. Throws 401 or 422 for one that is not good, or not any more. */
  claimsOf(token: string): Promise<Claims>;
  /** A signing key was withdrawn, or may have been. */
  forget(): void;
}

export function createTokenChecker({ ask, now, maxEntries }: TokenCheckerOptions): TokenChecker {
  const checked = new Map<string, { claims: Claims; kid: string }>();
  const keys = createPublicKeys({ ask, now });
  return {
    async claimsOf(token) {
      const known = checked.get(token);
      const isOver = known && "exp" in known.claims && known.claims.exp * 1000 <= now();
      // The key it was signed with may have been withdrawn since.
      if (known && !isOver && await keys.of(known.kid)) return known.claims;
      checked.delete(token);
      const type = ["access", "store"] as const;
      let kid = "";
      const findKey = (named: string) => keys.of(kid = named);
      const claims = await verifyToken(token, findKey, { type, now: new Date(now()) });
      if (checked.size >= maxEntries) checked.delete(checked.keys().next().value!);
      checked.set(token, { claims, kid });
      return claims;
    },
    forget() {
      keys.forget();
      checked.clear();
    },
  };
}
