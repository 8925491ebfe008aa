import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { endSessions } from "../../changes/user.ts";
import type { IdentityDeps } from "../../deps.ts";
import { requireUser } from "./require_user.ts";

/** Beyond v6's API. */
export function endOtherSessions(app: Hono<AppEnv>, { outbox }: IdentityDeps): void {
  app.delete(
    "/session",
    allow(["user"]),
    answers(said, {
      does: "Ends all log-ins of the caller but for the one that this is asked with.",
    }),
    async function endOtherSessions(c) {
      const { id, session_id: sparing } = requireUser(c.get("principal"));
      await outbox.change((change) => endSessions(change, id, { sparing }));
      return c.json({ msg: "All other log-ins of yours have ended." });
    },
  );
}
