/**
 * The token that a container finds in its file: in form a JWT, which published clients take apart
 * without checking it, in substance one run's secret, good at that run's proxy only. The hub's own
 * token stays with the agent.
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import type { Grant } from "../grant.ts";

export function createProxyToken(grant: Grant, now = Date.now()): string {
  const issued = Math.floor(now / 1000);
  const claims = {
    sub: { ...grant, client_type: "container" },
    client_type: "container",
    type: "access",
    fresh: false,
    iat: issued,
    nbf: issued,
    jti: crypto.randomUUID(),
    roles: [],
  };
  const secret = crypto.getRandomValues(new Uint8Array(32)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
  return [encode({ alg: "none", typ: "JWT" }), encode(claims), secret].join(".");
}

/** Whether a request carries `token`. Takes equally long whatever is wrong with it. */
export function carriesToken(request: Request, token: string): boolean {
  const given = new TextEncoder().encode(request.headers.get("authorization") ?? "");
  const expected = new TextEncoder().encode(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function encode(value: unknown): string {
  return new TextEncoder().encode(JSON.stringify(value)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}
