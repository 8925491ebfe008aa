import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { found } from "../../../../shared/contract/validate.ts";
import { endSession } from "../../changes/session.ts";
import type { IdentityDeps } from "../../deps.ts";
import { type Client, lockSession } from "../../store/session.ts";
import { requireUser } from "./require_user.ts";

/** Beyond v6's API. */
export function endOwnSession(app: Hono<AppEnv>, { outbox, now }: IdentityDeps): void {
  app.delete(
    "/session/:id",
    allow(["user"]),
    answers(said, { does: "Ends a log-in of the caller's, for all its tokens." }),
    async function endOwnSession(c) {
      const client: Client = { type: "user", id: requireUser(c.get("principal")).id };
      const id = c.req.param("id");
      await outbox.change(async ({ tx, emit }) => {
        const row = isUuid(id) ? await lockSession(tx, id, client, now()) : undefined;
        found(row, "log-in of yours", id);
        await endSession({ tx, emit }, client, id);
      });
      return c.json({ msg: "The log-in has ended: none of its tokens is good any more." });
    },
  );
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
