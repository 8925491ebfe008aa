/**
 * Log-in (contract §2): what users and nodes send, and the tokens they get. How tokens are signed
 * stands in `tokens.ts`.
 * @module
 */
import { z } from "zod";
import { nullAsAbsent } from "./fields.ts";
import { credential, secondFactor, secondFactorCode } from "./password.ts";

export const userLogIn = z.object({
  username: credential,
  password: credential,
  /** The code of the authenticator app, where a second factor is needed. */
  mfa_code: nullAsAbsent(secondFactorCode),
});

const pair = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  /** Where to exchange the refresh token for new ones. */
  refresh_url: z.string(),
});

export const userTokens = pair.extend({ user_url: z.string() }).meta({ id: "UserTokens" });
export const nodeTokens = pair.extend({ node_url: z.string() }).meta({ id: "NodeTokens" });
export type Tokens = z.infer<typeof userTokens> | z.infer<typeof nodeTokens>;

/**
 * With the password alone, where a second factor is needed: what to send along; or a factor to set
 * up first.
 */
export const userLogInAnswer = z.union([userTokens, secondFactor, z.object({ msg: z.string() })]);

export const refreshAnswer = z.union([userTokens, nodeTokens]);

export const validUser = z.object({
  msg: z.string(),
  user_id: z.number().int(),
  username: z.string(),
  email: z.string().nullable(),
  organization_id: z.number().int(),
});

export const validNode = z.object({
  msg: z.string(),
  node_id: z.number().int(),
  name: z.string(),
  organization_id: z.number().int(),
});

/** Beyond v6's API: for which store a token is wanted. */
export const storeTokenRequest = z.object({ url: z.url().max(1000) });

export const storeTokenAnswer = z.object({ store_token: z.string() });

/** The keys that verify tokens (RFC 7517). */
export const keySet = z.object({ keys: z.array(z.looseObject({ kid: z.string() })) });
