import { Hono } from "hono";
import { z } from "zod";
import { nullAsAbsent, text } from "../../../shared/contract/fields.ts";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { allow } from "../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { body } from "../../../shared/contract/validate.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { verifyToken } from "../../../shared/contract/tokens.ts";
import { loginRefused } from "../accounts/accounts.ts";
import type { IdentityDeps } from "../deps.ts";
import { hashPassword } from "../accounts/passwords.ts";
import { passwordProblems } from "../rules.ts";
import { userById } from "../store/user.ts";
import {
  clearFailures,
  deleteResetTokens,
  type LoginKey,
  type ResetPurpose,
  setOtpSecret,
  setPasswordHash,
  useResetToken,
} from "../store/account.ts";
import { deleteRefreshTokens, endOtherSessions } from "../store/session.ts";
import { newOtpSecret } from "../accounts/two_factor.ts";
import { credential } from "./token.ts";

/** A new password under the policy of contract §2.8; every shortcoming is named. */
export const newPassword = text.superRefine((value, context) => {
  for (const message of passwordProblems(value)) context.addIssue({ code: "custom", message });
});

const change = z.object({ current_password: credential, new_password: newPassword });

const who = {
  username: nullAsAbsent(credential),
  email: nullAsAbsent(text.pipe(z.string().max(254))),
};
const lost = z.object(who).refine(
  (given) => given.username !== undefined || given.email !== undefined,
  "give the username or the email",
);
const lostFactor = z.object({ ...who, password: credential }).refine(
  (given) => given.username !== undefined || given.email !== undefined,
  "give the username or the email",
);

const resetToken = text.pipe(z.string().min(1).max(1024));
const reset = z.object({ reset_token: resetToken, password: newPassword });
const resetFactor = z.object({ reset_token: resetToken });

function keyOf(
  { username, email }: { username?: string | undefined; email?: string | undefined },
): LoginKey {
  return username === undefined ? { email: email! } : { username };
}

export function passwordRoutes({ outbox, accounts, keys, now }: IdentityDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  /** What every new proof of identity entails: old log-ins and open recoveries end, and others are told. */
  async function endOldWays(
    { tx, emit }: Change,
    userId: number,
    { sparing }: { sparing?: string | undefined } = {},
  ): Promise<void> {
    await clearFailures(tx, userId);
    await deleteResetTokens(tx, userId);
    if (sparing === undefined) await deleteRefreshTokens(tx, "user", [userId]);
    else await endOtherSessions(tx, userId, sparing);
    const user = await userById(tx, userId);
    emit("user.changed", { user_id: userId, organization_id: user!.organization_id });
  }

  async function useToken(
    { tx }: Change,
    token: string,
    purpose: ResetPurpose,
  ): Promise<number | "expired"> {
    const sha256 = await sha256Hex(token);
    const userId = await useResetToken(tx, { sha256, purpose, at: now() });
    if (userId !== undefined) return userId;
    throw new SextantError(
      "invalid_request",
      "The reset token is wrong, or it was used already. Ask for a new one.",
    );
  }

  routes.patch("/password/change", allow(["user"]), body(change), async function changePassword(c) {
    const { current_password, new_password } = c.req.valid("json");
    if (current_password === new_password) {
      throw new SextantError("invalid_request", "The new password is the same as the old one.");
    }
    const { id } = c.get("principal");
    if (!await accounts.checkPassword({ id }, current_password)) throw loginRefused();
    const hash = await hashPassword(new_password);
    // The field's client goes on with the log-in it has, and refreshes it after its next error.
    const token = /^Bearer (\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    const sparing = token
      ? (await verifyToken(token, keys.publicKey, { type: "access", now: now() })).jti
      : undefined;
    await outbox.change(async (change) => {
      await setPasswordHash(change.tx, id, hash);
      await endOldWays(change, id, { sparing });
    });
    return c.json({ msg: "The password is changed. Other log-ins of yours will end." });
  });

  routes.post("/recover/lost", body(lost), function lostPassword(c) {
    accounts.sendResetToken(keyOf(c.req.valid("json")), "password");
    return c.json({
      msg: "If there is such a user, a mail with a reset token is on its way. " +
        "At most one is sent per hour.",
    });
  });

  routes.post("/recover/reset", body(reset), async function resetPassword(c) {
    const { reset_token, password } = c.req.valid("json");
    const hash = await hashPassword(password);
    const user = await outbox.change(async (change) => {
      const userId = await useToken(change, reset_token, "password");
      if (userId === "expired") return userId;
      await setPasswordHash(change.tx, userId, hash);
      await endOldWays(change, userId);
      return userId;
    });
    if (user === "expired") throw expired("unauthenticated");
    return c.json({ msg: "The password is changed; log in with it." });
  });

  routes.post("/recover/2fa/lost", body(lostFactor), async function lostSecondFactor(c) {
    const given = c.req.valid("json");
    if (!accounts.mailWorks) {
      throw new SextantError(
        "invalid_request",
        "This server cannot send mail; ask its administrator to reset your second factor.",
      );
    }
    const user = await accounts.checkPassword(keyOf(given), given.password);
    if (!user) throw loginRefused();
    accounts.sendResetToken({ id: user.id }, "two_factor");
    return c.json({
      msg: "A mail with a reset token is on its way. At most one is sent per hour.",
    });
  });

  routes.post("/recover/2fa/reset", body(resetFactor), async function resetSecondFactor(c) {
    const { reset_token } = c.req.valid("json");
    const secret = newOtpSecret();
    const user = await outbox.change(async (change) => {
      const userId = await useToken(change, reset_token, "two_factor");
      if (userId === "expired") return userId;
      await setOtpSecret(change.tx, userId, secret);
      await endOldWays(change, userId);
      return (await userById(change.tx, userId))!;
    });
    if (user === "expired") throw expired("invalid_request");
    return c.json(accounts.enrolment(user.username, secret));
  });

  return routes;
}

function expired(code: "unauthenticated" | "invalid_request"): SextantError {
  return new SextantError(code, "The reset token has expired. Ask for a new one.");
}
