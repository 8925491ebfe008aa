import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand, mayCollaboration } from "../../../../shared/contract/permissions.ts";
import { newStudy, study } from "../../../../shared/contract/study.ts";
import { body, found } from "../../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../../shared/storage/idempotency.ts";
import * as changes from "../../changes/study.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { showOrganizations } from "../../questions.ts";
import { showStudy } from "../../show.ts";
import { collaborationById } from "../../store/collaboration.ts";

export function createStudy(app: Hono<AppEnv>, { db, outbox, ask }: CollaborationDeps): void {
  app.post(
    "/study",
    allow(["user"], "study:CREATE"),
    body(newStudy),
    answers(study, { status: 201 }),
    idempotent(db),
    async function createStudy(c) {
      const given = c.req.valid("json");
      const { collaboration_id, organization_ids } = given;
      found(await collaborationById(db, collaboration_id), "collaboration", collaboration_id);
      demand(
        mayCollaboration(c.get("principal"), "study:CREATE", collaboration_id),
        `create a study in collaboration ${collaboration_id}`,
      );
      await changes.requireMembers(db, collaboration_id, organization_ids);
      const organizations = await showOrganizations(ask, organization_ids);
      return await once(c, outbox, async (change) => {
        const row = await changes.createStudy(change, given);
        return c.json({ ...showStudy(row), organizations }, 201);
      });
    },
  );
}
