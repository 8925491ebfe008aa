/**
 * Log-ins that go on, beyond v6's API: the list of one's own (`/api/session`), and that of the page
 * (`/session/…`), which is the tokens of `/api/token/…` with the refresh token in a cookie.
 * @module
 */
import { z } from "zod";
import { userTokens } from "./token.ts";

/**
 * Sent with every call of these routes: pages of other origins cannot send it along with cookies.
 */
export const SESSION_HEADER = "x-sextant-page";

/** The page's new tokens, or that nobody is logged in. */
export const sessionRenewal = z.union([userTokens, z.object({ over: z.literal(true) })]);

/** A log-in, of a browser or of a program. */
export const ownSession = z.object({
  id: z.uuid(),
  /** Naive UTC, as all times of the API. */
  begun_at: z.string(),
  /** Unless it is renewed before. */
  expires_at: z.string(),
  /** The addresses that it was used from, the newest last. */
  networks: z.array(z.string()),
  /** Whether it is the one that this is asked with. */
  is_this: z.boolean(),
}).meta({ id: "Session" });
export type OwnSession = z.infer<typeof ownSession>;

export const ownSessions = z.object({ data: z.array(ownSession) });
