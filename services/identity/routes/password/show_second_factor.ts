import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { ownSecondFactor } from "../../../../shared/contract/password.ts";
import type { IdentityDeps } from "../../deps.ts";
import { findLogin } from "../../store/account.ts";
import { requireUser } from "../session/require_user.ts";

export function showSecondFactor(app: Hono<AppEnv>, { db, accounts }: IdentityDeps): void {
  app.get(
    "/password/2fa",
    allow(["user"]),
    answers(ownSecondFactor, { does: "Whether one needs a second factor here, and has one." }),
    async function showSecondFactor(c) {
      const { id } = requireUser(c.get("principal"));
      const { login } = await findLogin(db, { id });
      return c.json({
        required: accounts.asksForCodes,
        is_set: login !== undefined && login.otp_secret !== null,
      });
    },
  );
}
