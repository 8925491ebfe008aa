import type { Hono } from "hono";
import { z } from "zod";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { collaborationPart } from "../../../../shared/contract/collaboration.ts";
import { organization } from "../../../../shared/contract/organization.ts";
import { demand, mayCollaboration } from "../../../../shared/contract/permissions.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { addMember } from "../../changes/collaboration.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { requireOrganizations, showOrganizations } from "../../questions.ts";
import { mayAddOrganization } from "../../../../shared/contract/place_permissions.ts";
import { collaborationMembers } from "../../store/collaboration.ts";
import { requireCollaboration } from "./require_collaboration.ts";

export function addOrganization(app: Hono<AppEnv>, { db, outbox, ask }: CollaborationDeps): void {
  app.post(
    "/collaboration/:id/organization",
    allow(["user"], "collaboration:EDIT"),
    body(collaborationPart),
    answers(z.array(organization)),
    async function addOrganization(c) {
      const principal = c.get("principal");
      const organizationId = c.req.valid("json").id;
      const { id } = await requireCollaboration(db, c.req.param("id"));
      demand(mayCollaboration(principal, "collaboration:EDIT", id), `edit collaboration ${id}`);
      await requireOrganizations(ask, [organizationId]);
      demand(
        mayAddOrganization(principal, id, organizationId),
        `bring organization ${organizationId}, which you work with nowhere yet, into collaboration ${id}`,
      );
      const members = await outbox.change(async (change) => {
        await addMember(change, id, organizationId);
        return await collaborationMembers(change.tx, id);
      });
      return c.json(await showOrganizations(ask, members));
    },
  );
}
