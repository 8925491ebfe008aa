import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { collaboration, collaborationQuery } from "../../../../shared/contract/collaboration.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { mayViewCollaboration } from "../../rules.ts";
import { showCollaborations } from "../../show.ts";
import { requireCollaboration } from "./require_collaboration.ts";

export function getCollaboration(app: Hono<AppEnv>, { db, ask }: CollaborationDeps): void {
  app.get(
    "/collaboration/:id",
    allow(["user", "node", "container"], "collaboration:VIEW"),
    query(collaborationQuery),
    answers(collaboration),
    async function getCollaboration(c) {
      const row = await requireCollaboration(db, c.req.param("id"));
      demand(mayViewCollaboration(c.get("principal"), row.id), `view collaboration ${row.id}`);
      const [shown] = await showCollaborations({ db, ask }, [row], c.req.valid("query").include);
      return c.json(shown);
    },
  );
}
