/**
 * The log-in of the page (`/session/…`), beyond v6's API: the tokens of `/api/token/…`, with the
 * refresh token in a cookie.
 * @module
 */
import { z } from "zod";
import { userTokens } from "./token.ts";

/** Sent with every call of these routes: pages of other origins cannot send it along with cookies. */
export const SESSION_HEADER = "x-sextant-page";

/** The page's new tokens, or that nobody is logged in. */
export const sessionRenewal = z.union([userTokens, z.object({ over: z.literal(true) })]);
