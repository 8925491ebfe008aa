import type { Hono } from "hono";
import { z } from "zod";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { id } from "../../../../shared/contract/fields.ts";
import { organization } from "../../../../shared/contract/organization.ts";
import { demand, mayCollaboration } from "../../../../shared/contract/permissions.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { addToStudy } from "../../changes/study.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { requireOrganizations, showOrganizations } from "../../questions.ts";
import { studyMembers } from "../../store/study.ts";
import { requireStudy } from "./require_study.ts";

export function addStudyOrganization(
  app: Hono<AppEnv>,
  { db, outbox, ask }: CollaborationDeps,
): void {
  app.post(
    "/study/:id/organization",
    allow(["user"], "study:EDIT"),
    body(z.object({ id })),
    answers(z.array(organization)),
    async function addStudyOrganization(c) {
      const organizationId = c.req.valid("json").id;
      const study = await requireStudy(db, c.req.param("id"));
      demand(
        mayCollaboration(c.get("principal"), "study:EDIT", study.collaboration_id),
        `edit study ${study.id}`,
      );
      await requireOrganizations(ask, [organizationId]);
      const members = await outbox.change(async (change) => {
        await addToStudy(change, study, organizationId);
        return await studyMembers(change.tx, study.id);
      });
      return c.json(await showOrganizations(ask, members));
    },
  );
}
