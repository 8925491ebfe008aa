import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { study, studyChanges } from "../../../../shared/contract/study.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { updateStudy } from "../../changes/study.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { mayStudy } from "../../../../shared/contract/place_permissions.ts";
import { showStudies } from "../../show.ts";
import { requireStudy } from "./require_study.ts";

export function editStudy(app: Hono<AppEnv>, { db, outbox, ask }: CollaborationDeps): void {
  app.patch(
    "/study/:id",
    allow(["user"], "study:EDIT"),
    body(studyChanges),
    answers(study),
    async function editStudy(c) {
      const before = await requireStudy(db, c.req.param("id"));
      demand(mayStudy(c.get("principal"), "study:EDIT", before), `edit study ${before.id}`);
      const row = await outbox.change((change) => updateStudy(change, before, c.req.valid("json")));
      const [shown] = await showStudies({ db, ask }, [row], ["organizations"]);
      return c.json(shown);
    },
  );
}
