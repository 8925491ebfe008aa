import type { Hono } from "hono";
import { z } from "zod";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { collaborationPart } from "../../../../shared/contract/collaboration.ts";
import { organization } from "../../../../shared/contract/organization.ts";
import { demand, mayCollaboration } from "../../../../shared/contract/permissions.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { removeMember } from "../../changes/collaboration.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { showOrganizations, shutOut } from "../../questions.ts";
import { collaborationMembers } from "../../store/collaboration.ts";
import { requireCollaboration } from "./require_collaboration.ts";

export function removeOrganization(app: Hono<AppEnv>, deps: CollaborationDeps): void {
  app.delete(
    "/collaboration/:id/organization",
    allow(["user"], "collaboration:EDIT"),
    body(collaborationPart),
    answers(z.array(organization)),
    async function removeOrganization(c) {
      const organizationId = c.req.valid("json").id;
      const { id } = await requireCollaboration(deps.db, c.req.param("id"));
      demand(
        mayCollaboration(c.get("principal"), "collaboration:EDIT", id),
        `edit collaboration ${id}`,
      );
      const { members, nodes } = await deps.outbox.change(async (change) => {
        const nodes = await removeMember(change, id, organizationId);
        return { members: await collaborationMembers(change.tx, id), nodes };
      });
      await shutOut(deps, nodes);
      return c.json(await showOrganizations(deps.ask, members));
    },
  );
}
