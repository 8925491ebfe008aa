import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { study, studyQuery } from "../../../../shared/contract/study.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { mayStudy } from "../../../../shared/contract/place_permissions.ts";
import { showStudies } from "../../show.ts";
import { requireStudy } from "./require_study.ts";

export function getStudy(app: Hono<AppEnv>, { db, ask }: CollaborationDeps): void {
  app.get(
    "/study/:id",
    allow(["user", "node", "container"], "study:VIEW"),
    query(studyQuery),
    answers(study),
    async function getStudy(c) {
      const row = await requireStudy(db, c.req.param("id"));
      demand(mayStudy(c.get("principal"), "study:VIEW", row), `view study ${row.id}`);
      const [shown] = await showStudies({ db, ask }, [row], c.req.valid("query").include);
      return c.json(shown);
    },
  );
}
