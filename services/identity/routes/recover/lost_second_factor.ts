import type { Hono } from "hono";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { lostSecondFactor as lostSecondFactorSchema } from "../../../../shared/contract/password.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { logInRefused } from "../../accounts/accounts.ts";
import type { IdentityDeps } from "../../deps.ts";
import { logInKeyOf } from "./log_in_key.ts";

export function lostSecondFactor(app: Hono<AppEnv>, { accounts }: IdentityDeps): void {
  app.post(
    "/recover/2fa/lost",
    body(lostSecondFactorSchema),
    answers(said, { does: "Sends a reset token by mail to whoever knows the password." }),
    async function lostSecondFactor(c) {
      const given = c.req.valid("json");
      if (!accounts.mailWorks) {
        throw new SextantError(
          "invalid_request",
          "This server cannot send mail; ask its administrator to reset your second factor.",
        );
      }
      const user = await accounts.checkPassword(logInKeyOf(given), given.password);
      if (!user) throw logInRefused();
      accounts.sendResetToken({ id: user.id }, "two_factor");
      return c.json({
        msg: "A mail with a reset token is on its way. At most one is sent per hour.",
      });
    },
  );
}
