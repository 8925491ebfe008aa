import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { listAnswer, pageOf, parseSort } from "../../../../shared/contract/paging.ts";
import {
  collaborationIds,
  demand,
  mayCollaboration,
  mayOrganization,
  type Principal,
  widestScope,
} from "../../../../shared/contract/permissions.ts";
import { study, studyList } from "../../../../shared/contract/study.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { Db, Fragment } from "../../../../shared/storage/db.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { showStudies } from "../../show.ts";
import { studyRows } from "../../store/study.ts";

const SORTABLE = ["id", "name"];

export function listStudies(app: Hono<AppEnv>, { db, ask }: CollaborationDeps): void {
  app.get(
    "/study",
    allow(["user", "node", "container"], "study:VIEW"),
    query(studyList),
    answers(pageOf(study)),
    async function listStudies(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      const where = inReach(db, principal);
      if (wanted.name !== undefined) where.push(db`name like ${wanted.name} escape ''`);
      if (wanted.organization_id !== undefined) {
        const allowed = mayOrganization(principal, "study:VIEW", wanted.organization_id);
        demand(allowed, `view the studies of organization ${wanted.organization_id}`);
        where.push(ofOrganization(db, wanted.organization_id));
      }
      if (wanted.collaboration_id !== undefined) {
        const allowed = mayCollaboration(principal, "study:VIEW", wanted.collaboration_id) ||
          collaborationIds(principal).includes(wanted.collaboration_id);
        demand(allowed, `view the studies of collaboration ${wanted.collaboration_id}`);
        where.push(db`collaboration_id = ${wanted.collaboration_id}`);
      }
      return await listAnswer(c, {
        wanted,
        source: studyRows(db),
        request: {
          where,
          order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        },
        show: (rows) => showStudies({ db, ask }, rows, wanted.include),
      });
    },
  );
}

/** The studies that the caller may see at all. */
function inReach(db: Db, principal: Principal): Fragment[] {
  const where: Fragment[] = [];
  const scope = widestScope(principal, "study:VIEW");
  if (scope === "COLLABORATION") {
    where.push(db`collaboration_id = any(${collaborationIds(principal)})`);
  } else if (scope !== "GLOBAL") {
    where.push(ofOrganization(db, principal.organization_id));
  }
  if (principal.kind !== "user") {
    where.push(db`collaboration_id = any(${collaborationIds(principal)})`);
  }
  return where;
}

function ofOrganization(db: Db, organizationId: number): Fragment {
  return db`id in (select study_id from study_member where organization_id = ${organizationId})`;
}
