/**
 * The page's log-in: the client's own, with the refresh token in a cookie that only the hub reads.
 * The client speaks to `/api/token/…`; what it says there is passed on to `/session/…`, which keeps
 * that cookie.
 * @module
 */
import { SESSION_HEADER, sessionRenewal } from "../../../shared/contract/session.ts";
import type { TokenPair } from "../../client/mod.ts";

const IN_THE_COOKIE: Record<string, string> = {
  "POST /api/token/user": "session/log-in",
  "POST /api/token/refresh": "session/renew",
  "DELETE /api/token/refresh": "session/log-out",
};

/** Of the hub: where the page lies, below whatever prefix a front gave it. */
export const HUB_URL: string = new URL(".", document.baseURI).href.replace(/\/$/, "");

/** The browser's own, but for the three calls that concern the cookie. */
export async function fetchWithCookie(
  input: RequestInfo | URL,
  init: RequestInit = {},
): Promise<Response> {
  const path = String(input).slice(HUB_URL.length).split("?", 1)[0];
  const session = IN_THE_COOKIE[`${init.method ?? "GET"} ${path}`];
  if (session === undefined) return await fetch(input, { ...init, credentials: "omit" });
  const response = await send(session, init);
  if (session !== "session/renew" || !response.ok) return response;
  const renewal = sessionRenewal.parse(await response.json());
  return "over" in renewal
    ? Response.json({ code: "invalid_token", msg: "Nobody is logged in." }, { status: 401 })
    : Response.json(renewal);
}

/** The log-in of before the page was loaded, or of another tab; `undefined` when there is none. */
export async function kept(): Promise<TokenPair | undefined> {
  const response = await send("session/renew", {});
  if (!response.ok) return undefined;
  const renewal = sessionRenewal.parse(await response.json());
  return "over" in renewal ? undefined : renewal;
}

function send(path: string, { body, signal }: RequestInit): Promise<Response> {
  return fetch(`${HUB_URL}/${path}`, {
    method: "POST",
    credentials: "same-origin",
    headers: {
      [SESSION_HEADER]: "yes",
      ...(body ? { "content-type": "application/json" } : {}),
    },
    body: body ?? null,
    signal: signal ?? null,
  });
}
