import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { offeredSecondFactor, secondFactorChange } from "../../../../shared/contract/password.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { logInRefused } from "../../accounts/accounts.ts";
import { newOtpSecret } from "../../accounts/two_factor.ts";
import type { IdentityDeps } from "../../deps.ts";
import { sealOffer } from "../../secrets/stored.ts";
import { requireUser } from "../session/require_user.ts";
import { OFFER_MINUTES, offeredTo, requireCodes } from "./offer.ts";

export function offerSecondFactor(
  app: Hono<AppEnv>,
  { accounts, vault, now }: IdentityDeps,
): void {
  app.post(
    "/password/2fa",
    allow(["user"]),
    body(secondFactorChange),
    answers(offeredSecondFactor, {
      does: "A new second factor for oneself, for the password and a code of the present one. It " +
        `is in force when a code of it was sent by \`PATCH\`, within ${OFFER_MINUTES} minutes.`,
    }),
    async function offerSecondFactor(c) {
      const { current_password, mfa_code } = c.req.valid("json");
      const { id, session_id } = requireUser(c.get("principal"));
      requireCodes(accounts);
      const user = await accounts.checkPassword({ id }, current_password);
      if (!user) throw logInRefused();
      // Whoever has the log-in and the password alone does not get past the second factor by this.
      const factor = user.otp_secret === null
        ? "passed"
        : await accounts.secondFactor(user, mfa_code, c.env.address);
      if (factor !== "passed") {
        throw new SextantError("invalid_request", factor.msg, {
          errors: { mfa_code: ["The code of the present second factor is missing."] },
        });
      }
      const secret = newOtpSecret();
      const until = now().getTime() + OFFER_MINUTES * 60_000;
      const ticket = sealOffer(vault, await offeredTo(user, session_id ?? ""), { secret, until });
      const msg = "Add this secret to your authenticator app, then send a code of it.";
      return c.json({ ...accounts.enrolment(user.username, secret), msg, ticket });
    },
  );
}
