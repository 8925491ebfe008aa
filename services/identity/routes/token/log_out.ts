import type { Hono } from "hono";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { recordDone } from "../../../../shared/storage/audit.ts";
import type { IdentityDeps } from "../../deps.ts";
import { requireBearer } from "./bearer.ts";

/** Beyond v6's API. */
export function logOut(app: Hono<AppEnv>, { db, sessions }: IdentityDeps): void {
  app.delete(
    "/token/refresh",
    answers(said, { does: "Ends the log-in of a refresh token, sent as the bearer token." }),
    async function logOut(c) {
      const { type, id } = await sessions.end(requireBearer(c));
      await recordDone(db, `${type}.logout`, { noun: type, id });
      return c.json({ msg: "The refresh token and all of the same log-in are revoked." });
    },
  );
}
