/**
 * Prometheus as a caller: a token that the operator made, which does not end and is good for the
 * figures alone.
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Principal } from "../../../shared/contract/permissions.ts";

/** Nobody's account; it may see that nodes are there. */
export const SCRAPER: Principal = {
  kind: "user",
  id: 0,
  username: "metrics",
  organization_id: 0,
  rules: ["node:VIEW:GLOBAL"],
  collaborations: [],
};

/** Returns whether an `Authorization` header holds the token. */
export function scraperCheck(
  token: string | undefined,
): (authorization: string | undefined) => boolean {
  const expected = token === undefined ? undefined : digest(token);
  return (authorization) => {
    const given = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
    return given !== undefined && expected !== undefined &&
      timingSafeEqual(digest(given), expected);
  };
}

function digest(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}

/** The least that nobody guesses. */
const TOKEN_CHARACTERS = 20;

/** Reads the token from a file. Throws for one that could be guessed. */
export async function readScrapeToken(path: string): Promise<string> {
  const token = (await Deno.readTextFile(path)).trim();
  if (/^\S+$/.test(token) && token.length >= TOKEN_CHARACTERS) return token;
  throw new Error(
    `The token in SEXTANT_METRICS_TOKEN_FILE must be one word of at least ${TOKEN_CHARACTERS} characters.`,
  );
}
