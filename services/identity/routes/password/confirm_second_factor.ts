import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { secondFactorConfirmation } from "../../../../shared/contract/password.ts";
import { body, found } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { stepOfCode } from "../../accounts/two_factor.ts";
import { resetSecondFactor } from "../../changes/user.ts";
import type { IdentityDeps } from "../../deps.ts";
import { openOffer, sealOtpSecret } from "../../secrets/stored.ts";
import { findLogin } from "../../store/account.ts";
import { lockUser } from "../../store/user.ts";
import { requireUser } from "../session/require_user.ts";
import { offeredTo, requireCodes } from "./offer.ts";

export function confirmSecondFactor(
  app: Hono<AppEnv>,
  { outbox, accounts, vault, now }: IdentityDeps,
): void {
  app.patch(
    "/password/2fa",
    allow(["user"]),
    body(secondFactorConfirmation),
    answers(said, {
      does:
        "Puts a new second factor in force. The log-in it is done with goes on; all others end.",
    }),
    async function confirmSecondFactor(c) {
      const { ticket, mfa_code } = c.req.valid("json");
      const { id, session_id } = requireUser(c.get("principal"));
      requireCodes(accounts);
      await outbox.change(async (change) => {
        // Until the end of the transaction nobody else replaces what was proved.
        await lockUser(change.tx, id);
        const login = found((await findLogin(change.tx, { id })).login, "user", id);
        const offer = openOffer(vault, await offeredTo(login, session_id ?? ""), ticket);
        if (!offer || offer.until <= now().getTime()) {
          throw new SextantError(
            "invalid_request",
            "This second factor cannot be put in force any more. Ask for another one.",
          );
        }
        // A wrong one counts as no failure: who has the ticket has the secret, and guesses nothing.
        const step = stepOfCode(offer.secret, mfa_code, now());
        if (step === undefined) {
          throw new SextantError("invalid_request", "The code is wrong, or its time is over.", {
            errors: { mfa_code: ["This is no code of the new second factor."] },
          });
        }
        const sealed = sealOtpSecret(vault, id, offer.secret);
        // As with a new password: who replaces it may do so because somebody else has the old one.
        await resetSecondFactor(change, id, sealed, { sparing: session_id });
        await accounts.useCode(change.tx, id, { step, address: c.env.address });
      });
      return c.json({ msg: "The second factor is replaced. Other log-ins of yours will end." });
    },
  );
}
