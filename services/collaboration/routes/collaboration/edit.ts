import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { collaboration, collaborationChanges } from "../../../../shared/contract/collaboration.ts";
import { demand, mayCollaboration, widestScope } from "../../../../shared/contract/permissions.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { updateCollaboration } from "../../changes/collaboration.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { requireOrganizations, shutOut } from "../../questions.ts";
import { showCollaboration } from "../../show.ts";
import { requireCollaboration } from "./require_collaboration.ts";

export function editCollaboration(app: Hono<AppEnv>, deps: CollaborationDeps): void {
  app.patch(
    "/collaboration/:id",
    allow(["user"], "collaboration:EDIT"),
    body(collaborationChanges),
    answers(collaboration),
    async function editCollaboration(c) {
      const principal = c.get("principal");
      const given = c.req.valid("json");
      const { id } = await requireCollaboration(deps.db, c.req.param("id"));
      demand(mayCollaboration(principal, "collaboration:EDIT", id), `edit collaboration ${id}`);
      if (given.organization_ids) {
        const everywhere = widestScope(principal, "collaboration:EDIT") === "GLOBAL";
        demand(everywhere, `replace the organizations of collaboration ${id}`);
        await requireOrganizations(deps.ask, given.organization_ids);
      }
      const { row, nodes } = await deps.outbox.change((change) =>
        updateCollaboration(change, id, given)
      );
      await shutOut(deps, nodes);
      return c.json(showCollaboration(row));
    },
  );
}
