import type { Hono } from "hono";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { passwordReset } from "../../../../shared/contract/password.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { hashPassword } from "../../accounts/passwords.ts";
import { changePassword } from "../../changes/user.ts";
import type { IdentityDeps } from "../../deps.ts";
import { expired, spendResetToken } from "./reset_token.ts";

export function resetPassword(app: Hono<AppEnv>, { outbox, now }: IdentityDeps): void {
  app.post(
    "/recover/reset",
    body(passwordReset),
    answers(said, { does: "Sets a new password with a token from a mail. All log-ins end." }),
    async function resetPassword(c) {
      const { reset_token, password } = c.req.valid("json");
      const hash = await hashPassword(password);
      const user = await outbox.change(async (change) => {
        const token = { token: reset_token, purpose: "password", at: now() } as const;
        const id = await spendResetToken(change.tx, token);
        if (id !== "expired") await changePassword(change, id, hash);
        return id;
      });
      if (user === "expired") throw expired("unauthenticated");
      return c.json({ msg: "The password is changed; log in with it." });
    },
  );
}
