import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { collaboration, newCollaboration } from "../../../../shared/contract/collaboration.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../../shared/storage/idempotency.ts";
import * as changes from "../../changes/collaboration.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { requireOrganizations } from "../../questions.ts";
import { showCollaboration } from "../../show.ts";

export function createCollaboration(
  app: Hono<AppEnv>,
  { db, outbox, ask }: CollaborationDeps,
): void {
  app.post(
    "/collaboration",
    allow(["user"], "collaboration:CREATE"),
    body(newCollaboration),
    answers(collaboration),
    idempotent(db),
    async function createCollaboration(c) {
      const given = c.req.valid("json");
      await requireOrganizations(ask, given.organization_ids);
      return await once(c, outbox, async (change) => {
        const row = await changes.createCollaboration(change, given);
        return c.json(showCollaboration(row)); // 200, as v6's clients know it
      });
    },
  );
}
