import type { Hono } from "hono";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { endSession } from "../../changes/session.ts";
import type { IdentityDeps } from "../../deps.ts";
import { requireBearer } from "./bearer.ts";

/** Beyond v6's API. */
export function logOut(app: Hono<AppEnv>, { outbox, sessions }: IdentityDeps): void {
  app.delete(
    "/token/refresh",
    answers(said, {
      does: "Ends the log-in of a refresh token, sent as the bearer token, for all its tokens.",
    }),
    async function logOut(c) {
      const { client, id } = await sessions.ofToken(requireBearer(c));
      await outbox.change(({ tx, emit }) => endSession({ tx, emit }, client, id));
      return c.json({ msg: "The log-in has ended: none of its tokens is good any more." });
    },
  );
}
