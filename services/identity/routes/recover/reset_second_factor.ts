import type { Hono } from "hono";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { secondFactor, secondFactorReset } from "../../../../shared/contract/password.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { newOtpSecret } from "../../accounts/two_factor.ts";
import * as changes from "../../changes/user.ts";
import { sealOtpSecret } from "../../secrets/stored.ts";
import type { IdentityDeps } from "../../deps.ts";
import { expired, spendResetToken } from "./reset_token.ts";

export function resetSecondFactor(
  app: Hono<AppEnv>,
  { outbox, accounts, vault, now }: IdentityDeps,
): void {
  app.post(
    "/recover/2fa/reset",
    body(secondFactorReset),
    answers(secondFactor, {
      does: "Gives a new second factor for a token from a mail. All log-ins end.",
    }),
    async function resetSecondFactor(c) {
      const { reset_token } = c.req.valid("json");
      const secret = newOtpSecret();
      const user = await outbox.change(async (change) => {
        const token = { token: reset_token, purpose: "two_factor", at: now() } as const;
        const id = await spendResetToken(change.tx, token);
        if (id === "expired") return id;
        return await changes.resetSecondFactor(change, id, sealOtpSecret(vault, id, secret));
      });
      if (user === "expired") throw expired("invalid_request");
      return c.json(accounts.enrolment(user.username, secret));
    },
  );
}
