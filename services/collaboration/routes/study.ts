import { Hono } from "hono";
import { z } from "zod";
import {
  id,
  listLink,
  name,
  pageAnswer,
  pageQuery,
  pageWindow,
  parseSort,
  queryId,
  queryInclude,
  reference,
  text,
  uniqueIds,
} from "../../../shared/contract.ts";
import { type Fragment, uniqueViolation } from "../../../shared/db.ts";
import { SextantError } from "../../../shared/errors.ts";
import { allow, type AppEnv, body, found, pathId, query } from "../../../shared/http.ts";
import {
  collaborationIds,
  demand,
  mayCollaboration,
  mayOrganization,
  widestScope,
} from "../../../shared/policy.ts";
import type { CollaborationDeps } from "../app.ts";
import { showOrganizations } from "../organizations.ts";
import { mayStudy } from "../rules.ts";
import {
  collaborationById,
  collaborationMembers,
  insertStudy,
  studyById,
  studyMembers,
  studyPage,
  type StudyRow,
} from "../store.ts";

const newStudy = z.object({
  name,
  collaboration_id: id,
  organization_ids: uniqueIds.min(1, "must name at least one organization"),
});

const oneQuery = z.object({ include: queryInclude.optional() });
const listQuery = pageQuery.extend({
  name: text.optional(),
  organization_id: queryId.optional(),
  collaboration_id: queryId.optional(),
  include: queryInclude.optional(),
});

const SORTABLE = ["id", "name"];

/** The contract's Study (§3.3). */
export function showStudy(row: StudyRow) {
  return {
    id: row.id,
    name: row.name,
    collaboration: reference("collaboration", row.collaboration_id),
    organizations: listLink("organization", "study_id", row.id),
    tasks: listLink("task", "study_id", row.id),
  };
}

export function studyRoutes({ db, outbox, ask }: CollaborationDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  async function showWithOrganizations(row: StudyRow) {
    const organizations = await showOrganizations(ask, await studyMembers(db, row.id));
    return { ...showStudy(row), organizations };
  }

  function show(row: StudyRow, include: string[] | undefined) {
    return include?.includes("organizations") ? showWithOrganizations(row) : showStudy(row);
  }

  routes.get(
    "/study",
    allow("user node container", "study:VIEW"),
    query(listQuery),
    async function listStudies(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      const where: Fragment[] = [];
      const scope = widestScope(principal, "study:VIEW");
      if (scope === "COLLABORATION") {
        where.push(db`collaboration_id = any(${collaborationIds(principal)})`);
      } else if (scope !== "GLOBAL") {
        where.push(
          db`id in (select study_id from study_member
                    where organization_id = ${principal.organization_id})`,
        );
      }
      if (wanted.name !== undefined) where.push(db`name like ${wanted.name} escape ''`);
      if (wanted.organization_id !== undefined) {
        const allowed = mayOrganization(principal, "study:VIEW", wanted.organization_id);
        demand(allowed, `view the studies of organization ${wanted.organization_id}`);
        where.push(
          db`id in (select study_id from study_member
                    where organization_id = ${wanted.organization_id})`,
        );
      }
      if (wanted.collaboration_id !== undefined) {
        const inReach = mayCollaboration(principal, "study:VIEW", wanted.collaboration_id) ||
          collaborationIds(principal).includes(wanted.collaboration_id);
        demand(inReach, `view the studies of collaboration ${wanted.collaboration_id}`);
        where.push(db`collaboration_id = ${wanted.collaboration_id}`);
      }
      const { rows, total } = await studyPage(db, {
        where,
        order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        window: pageWindow(wanted),
      });
      const items = await Promise.all(rows.map((row) => show(row, wanted.include)));
      return pageAnswer(c, items, total, wanted);
    },
  );

  routes.post(
    "/study",
    allow("user", "study:CREATE"),
    body(newStudy),
    async function createStudy(c) {
      const { organization_ids, ...values } = c.req.valid("json");
      found(
        await collaborationById(db, values.collaboration_id),
        "collaboration",
        values.collaboration_id,
      );
      demand(
        mayCollaboration(c.get("principal"), "study:CREATE", values.collaboration_id),
        `create a study in collaboration ${values.collaboration_id}`,
      );
      const members = await collaborationMembers(db, values.collaboration_id);
      const outside = organization_ids.filter((one) => !members.includes(one));
      if (outside.length > 0) {
        throw new SextantError(
          "invalid_request",
          `Organization ${outside.join(", ")} is not in collaboration ${values.collaboration_id}.`,
        );
      }
      try {
        const row = await outbox.change(async ({ tx, emit }) => {
          const row = await insertStudy(tx, values, organization_ids);
          emit("study.changed", { study_id: row.id, collaboration_id: row.collaboration_id });
          return row;
        });
        return c.json(await showWithOrganizations(row), 201);
      } catch (error) {
        if (uniqueViolation(error) !== "study_name_unique") throw error;
        throw new SextantError("conflict", `A study named "${values.name}" exists already.`);
      }
    },
  );

  routes.get(
    "/study/:id",
    allow("user node container", "study:VIEW"),
    query(oneQuery),
    async function getStudy(c) {
      const studyId = pathId(c.req.param("id"));
      const row = found(await studyById(db, studyId), "study", studyId);
      const place = { ...row, organization_ids: await studyMembers(db, studyId) };
      demand(mayStudy(c.get("principal"), "study:VIEW", place), `view study ${studyId}`);
      return c.json(await show(row, c.req.valid("query").include));
    },
  );

  return routes;
}
