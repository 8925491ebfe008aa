import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { passwordChange } from "../../../../shared/contract/password.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { logInRefused } from "../../accounts/accounts.ts";
import { hashPassword } from "../../accounts/passwords.ts";
import * as changes from "../../changes/user.ts";
import type { IdentityDeps } from "../../deps.ts";
import { requireUser } from "../session/require_user.ts";

export function changePassword(
  app: Hono<AppEnv>,
  { outbox, accounts }: IdentityDeps,
): void {
  app.patch(
    "/password/change",
    allow(["user"]),
    body(passwordChange),
    answers(said, { does: "One's own. The log-in it is done with goes on; all others end." }),
    async function changePassword(c) {
      const { current_password, new_password } = c.req.valid("json");
      if (current_password === new_password) {
        throw new SextantError("invalid_request", "The new password is the same as the old one.");
      }
      const { id, session_id: sparing } = requireUser(c.get("principal"));
      const user = await accounts.checkPassword({ id }, current_password);
      if (!user) throw logInRefused();
      const hash = await hashPassword(new_password);
      // v6's client goes on with the log-in it has, and refreshes it after its next error.
      await outbox.change(async (change) => {
        // The owner may have recovered the account while somebody else's request was under way.
        await accounts.demandStillProven(change.tx, user);
        await changes.changePassword(change, id, hash, { sparing });
      });
      return c.json({ msg: "The password is changed. Other log-ins of yours will end." });
    },
  );
}
