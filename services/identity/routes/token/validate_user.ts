import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { validUser } from "../../../../shared/contract/token.ts";
import { found } from "../../../../shared/contract/validate.ts";
import type { IdentityDeps } from "../../deps.ts";
import { userById } from "../../store/user.ts";

export function validateUser(app: Hono<AppEnv>, { db }: IdentityDeps): void {
  app.post(
    "/token/user/validate",
    allow(["user"]),
    answers(validUser, {
      does: "Tells whose token it is: for algorithm stores that were handed one of ours.",
    }),
    async function validateUser(c) {
      const { id } = c.get("principal");
      const user = found(await userById(db, id), "user", id);
      return c.json({
        msg: "The token is valid.",
        user_id: user.id,
        username: user.username,
        email: user.email,
        organization_id: user.organization_id,
      });
    },
  );
}
