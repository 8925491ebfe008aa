import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { dateText } from "../../../../shared/contract/fields.ts";
import { ownSessions } from "../../../../shared/contract/session.ts";
import type { IdentityDeps } from "../../deps.ts";
import { sessionsOfUser } from "../../store/session.ts";
import { requireUser } from "./require_user.ts";

/** Programs that log in anew each time, and never out, leave many. */
const MOST = 100;

/** Beyond v6's API. */
export function listOwnSessions(app: Hono<AppEnv>, { db, now }: IdentityDeps): void {
  app.get(
    "/session",
    allow(["user"]),
    answers(ownSessions, { does: "The caller's own log-ins that go on: the newest hundred." }),
    async function listOwnSessions(c) {
      const { id, session_id } = requireUser(c.get("principal"));
      const rows = await sessionsOfUser(db, id, { at: now(), most: MOST });
      const data = rows.map((row) => ({
        id: row.id,
        begun_at: dateText(row.begun_at),
        expires_at: dateText(row.expires_at),
        networks: row.networks,
        is_this: row.id === session_id,
      }));
      return c.json({ data });
    },
  );
}
