import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { studyDeletion } from "../../../../shared/contract/study.ts";
import { query } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { removeStudy } from "../../changes/study.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { mayStudy } from "../../../../shared/contract/place_permissions.ts";
import { requireStudy } from "./require_study.ts";

export function deleteStudy(app: Hono<AppEnv>, { db, outbox, ask }: CollaborationDeps): void {
  app.delete(
    "/study/:id",
    allow(["user"], "study:DELETE"),
    query(studyDeletion),
    answers(said),
    async function deleteStudy(c) {
      const row = await requireStudy(db, c.req.param("id"));
      demand(mayStudy(c.get("principal"), "study:DELETE", row), `delete study ${row.id}`);
      if (!c.req.valid("query").delete_dependents) {
        const { tasks } = await ask("task", "count", { study_id: row.id });
        if (tasks > 0) {
          throw new SextantError(
            "conflict",
            `Study ${row.id} has tasks; delete them first, or set delete_dependents.`,
          );
        }
      }
      await outbox.change((change) => removeStudy(change, row));
      return c.json({ msg: `Study ${row.id} was deleted.` });
    },
  );
}
