/**
 * Who may ask the owner's page anything: a browser that came by this very address, from this very
 * page, with both halves of a session.
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import { serialize } from "hono/utils/cookie";
import { SESSION_HEADER } from "./contract.ts";
import { Refusal } from "./refusal.ts";
import type { Halves, Sessions } from "./sessions.ts";

/** Names that mean this machine and that no name server is asked for. */
const NAMES = ["127.0.0.1", "localhost"];

export interface DoorsOptions {
  port: number;
  sessions: Sessions;
}

export interface Doors {
  /**
   * Refuses requests under another name: a page from elsewhere whose name its owner lets point here
   * (DNS rebinding) would otherwise be this page's origin.
   */
  ownName: MiddlewareHandler;
  /** Refuses what pages of other origins send, other ports of this machine among them. */
  ownPage: MiddlewareHandler;
  /** Refuses who is not in. */
  insideOnly: MiddlewareHandler;
  /** Lets somebody in; answers the half that the page keeps. */
  letIn(c: Context): string;
  letOut(c: Context): void;
}

export function createDoors({ port, sessions }: DoorsOptions): Doors {
  const hosts = NAMES.map((name) => `${name}:${port}`);
  const origins = hosts.map((host) => `http://${host}`);
  // Cookies do not know ports, and another node may run on this machine.
  const cookie = `sextant_owner_${port}`;

  function halvesOf(c: Context): Halves {
    return { cookie: getCookie(c, cookie) ?? "", word: c.req.header(SESSION_HEADER) ?? "" };
  }

  function setCookie(c: Context, value: string, maxAge?: number): void {
    const options = { httpOnly: true, sameSite: "Strict", path: "/" } as const;
    const age = maxAge === undefined ? {} : { maxAge };
    c.header("set-cookie", serialize(cookie, value, { ...options, ...age }));
  }

  return {
    async ownName(c, next) {
      if (!hosts.includes(c.req.header("host") ?? "")) {
        const advice = "through a tunnel, give its near end the same port";
        throw new Refusal(421, `This page is at ${origins[0]} alone; ${advice}.`);
      }
      await next();
    },
    async ownPage(c, next) {
      const from = c.req.header("sec-fetch-site") ?? "same-origin";
      const origin = c.req.header("origin");
      // Another page cannot send the header without asking first, which nobody here answers.
      const isOwn = from === "same-origin" && c.req.header(SESSION_HEADER) !== undefined &&
        (origin === undefined || origins.includes(origin));
      if (!isOwn) throw new Refusal(403, "This answers the owner's page alone.");
      await next();
    },
    async insideOnly(c, next) {
      if (!sessions.has(halvesOf(c))) {
        throw new Refusal(401, "Nobody is in. A new link opens this page.");
      }
      await next();
    },
    letIn(c) {
      const halves = sessions.begin();
      setCookie(c, halves.cookie);
      return halves.word;
    },
    letOut(c) {
      sessions.end(halvesOf(c));
      setCookie(c, "", 0);
    },
  };
}
