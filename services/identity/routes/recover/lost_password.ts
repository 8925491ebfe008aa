import type { Hono } from "hono";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { lostPassword as lostPasswordSchema } from "../../../../shared/contract/password.ts";
import { body } from "../../../../shared/contract/validate.ts";
import type { IdentityDeps } from "../../deps.ts";
import { logInKeyOf } from "./log_in_key.ts";

export function lostPassword(app: Hono<AppEnv>, { accounts }: IdentityDeps): void {
  app.post(
    "/recover/lost",
    body(lostPasswordSchema),
    answers(said, {
      does:
        "Sends a reset token by mail. The answer is the same whether there is such a user or not.",
    }),
    function lostPassword(c) {
      accounts.sendResetToken(logInKeyOf(c.req.valid("json")), "password");
      return c.json({
        msg: "If there is such a user, a mail with a reset token is on its way. " +
          "At most one is sent per hour.",
      });
    },
  );
}
