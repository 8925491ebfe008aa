import type { Hono } from "hono";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { userLogIn, userLogInAnswer } from "../../../../shared/contract/token.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { recordDone } from "../../../../shared/storage/audit.ts";
import { logInRefused } from "../../accounts/accounts.ts";
import type { IdentityDeps } from "../../deps.ts";

export function logInUser(app: Hono<AppEnv>, { db, accounts, sessions }: IdentityDeps): void {
  app.post(
    "/token/user",
    body(userLogIn),
    answers(userLogInAnswer, {
      does:
        "Log-in with user name and password. Where a second factor is needed and `mfa_code` is " +
        "missing, the answer says so in `msg`; who has none yet is given one to set up.",
    }),
    async function logInUser(c) {
      const { username, password, mfa_code } = c.req.valid("json");
      const user = await accounts.checkPassword({ username }, password);
      if (!user) throw logInRefused();
      const { address } = c.env;
      const factor = await accounts.secondFactor(user, mfa_code, address);
      if (factor !== "passed") return c.json(factor);
      const tokens = await db.begin(async (tx) => {
        await accounts.letIn(tx, user);
        return await sessions.begin(tx, { type: "user", id: user.id }, { address });
      });
      await recordDone(db, "user.login", { noun: "user", id: user.id });
      c.header("jwt-token", tokens.access_token);
      return c.json(tokens);
    },
  );
}
