/**
 * The log-in of the page. Its refresh token is kept in a cookie that no script can read and that
 * goes nowhere but here; its access token lives in the page's memory. Each route is a call of the
 * API's own log-in with the token taken out of the answer, or put into the request: limits, records
 * and refusals are those of the API.
 *
 * Another page cannot use the cookie: it is sent from pages of this site alone (SameSite=Strict),
 * and taken only with a header that pages of other origins may not send along with cookies.
 * @module
 */
import type { Context, Hono } from "hono";
import { getCookie } from "hono/cookie";
import { serialize } from "hono/utils/cookie";
import { z } from "zod";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { SESSION_HEADER, sessionRenewal } from "../../../../shared/contract/session.ts";
import { userLogInAnswer } from "../../../../shared/contract/token.ts";
import { SextantError } from "../../../../shared/service/errors.ts";

const COOKIE = "sextant_refresh_token";

const tokens = z.looseObject({ refresh_token: z.string().min(1) });

export function keepPageSession(app: Hono<AppEnv>, { isSecure }: {
  /** Whether the client's own connection is encrypted. */
  isSecure: (request: Request) => boolean;
}): void {
  app.post(
    "/session/log-in",
    answers(userLogInAnswer, { does: "Log-in of the page; the refresh token goes into a cookie." }),
    async function logInPage(c) {
      demandOwnPage(c);
      return await withCookie(c, await ask(c, "POST", "/api/token/user", { body: c.req.raw.body }));
    },
  );

  app.post(
    "/session/renew",
    answers(sessionRenewal, { does: "New tokens for the page, by its cookie." }),
    async function renewPageSession(c) {
      demandOwnPage(c);
      const token = getCookie(c, COOKIE);
      if (!token) return c.json({ over: true });
      const answer = await ask(c, "POST", "/api/token/refresh", { token });
      if (answer.status !== 401 && answer.status !== 422) return await withCookie(c, answer);
      await answer.body?.cancel();
      // Nobody was in, or is no more: for a page that begins this is no failure.
      setCookie(c, "", 0);
      return c.json({ over: true });
    },
  );

  app.post(
    "/session/log-out",
    answers(said, { does: "Ends the log-in of the page, for all its tabs." }),
    async function logOutPage(c) {
      demandOwnPage(c);
      const token = getCookie(c, COOKIE);
      setCookie(c, "", 0);
      if (!token) return c.json({ msg: "Nobody was logged in." });
      const answer = await ask(c, "DELETE", "/api/token/refresh", { token });
      await answer.body?.cancel();
      // Over already is over.
      if (!answer.ok && answer.status !== 401 && answer.status !== 422) {
        throw new SextantError("unavailable", "Cannot end the log-in at the hub; try again.");
      }
      return c.json({ msg: "Logged out." });
    },
  );

  /** The API's own answer, by this very app. */
  async function ask(
    c: Context<AppEnv>,
    method: "POST" | "DELETE",
    path: string,
    { token, body }: { token?: string; body?: ReadableStream<Uint8Array> | null },
  ): Promise<Response> {
    const headers = new Headers(token ? { authorization: `Bearer ${token}` } : {});
    if (body) headers.set("content-type", "application/json");
    const url = new URL(path, c.req.url);
    return await app.fetch(new Request(url, { method, headers, body: body ?? null }), c.env);
  }

  /** The API's answer, with its refresh token in the cookie in place of the body. */
  async function withCookie(c: Context<AppEnv>, answer: Response): Promise<Response> {
    const content: unknown = await answer.json();
    const read = tokens.safeParse(content);
    const wait = answer.headers.get("retry-after");
    if (wait !== null) c.header("retry-after", wait);
    c.header("cache-control", "no-store");
    if (!answer.ok || !read.success) return c.json(content as object, answer.status as 200);
    setCookie(c, read.data.refresh_token);
    return c.json({ ...read.data, refresh_token: "" }, answer.status as 200);
  }

  /**
   * A cookie that ends with the browser. It names no path: browsers then take that of these routes,
   * also where a front serves the hub below a prefix that is not known here.
   */
  function setCookie(c: Context<AppEnv>, value: string, maxAge?: number): void {
    const cookie = serialize(COOKIE, value, {
      httpOnly: true,
      sameSite: "Strict",
      secure: isSecure(c.req.raw),
      ...(maxAge === undefined ? {} : { maxAge }),
    });
    c.header("set-cookie", cookie, { append: true });
  }
}

function demandOwnPage(c: Context<AppEnv>): void {
  const from = c.req.header("sec-fetch-site") ?? "same-origin";
  if (from === "same-origin" && c.req.header(SESSION_HEADER) !== undefined) return;
  throw new SextantError("forbidden", "This is for the hub's own page: use /api/token/user.");
}
