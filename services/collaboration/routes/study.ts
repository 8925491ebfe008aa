import { Hono } from "hono";
import { z } from "zod";
import {
  id,
  name,
  queryBoolean,
  queryId,
  queryInclude,
  text,
  uniqueIds,
} from "../../../shared/contract/fields.ts";
import { listLink, referTo } from "../../../shared/contract/references.ts";
import { pageAnswer, pageQuery, pageWindow, parseSort } from "../../../shared/contract/paging.ts";
import { type Fragment, type Tx, uniqueViolation } from "../../../shared/storage/db.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { allow } from "../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { body, found, pathId, query } from "../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../shared/storage/idempotency.ts";
import {
  collaborationIds,
  demand,
  mayCollaboration,
  mayOrganization,
  widestScope,
} from "../../../shared/contract/permissions.ts";
import type { CollaborationDeps } from "../deps.ts";
import { requireOrganizations, showOrganizations, withOrganizations } from "../organizations.ts";
import { mayStudy, type StudyPlace } from "../rules.ts";
import {
  addStudyMembers,
  collaborationById,
  deleteStudy,
  insertStudy,
  lockMembers,
  lockStudy,
  membersOfStudies,
  removeStudyMembers,
  studyById,
  studyMembers,
  studyPage,
  type StudyRow,
  updateStudyName,
} from "../store.ts";

const organizationIds = uniqueIds.min(1, "must name at least one organization");
const newStudy = z.object({ name, collaboration_id: id, organization_ids: organizationIds });
/** A `collaboration_id` may come along; a study stays where it is. */
const changes = z.object({
  name: name.optional(),
  organization_ids: organizationIds.optional(),
  collaboration_id: id.optional(),
});
const one = z.object({ id });

const oneQuery = z.object({ include: queryInclude.optional() });
const deleteQuery = z.object({ delete_dependents: queryBoolean.optional() });
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
    collaboration: referTo("collaboration", row.collaboration_id),
    organizations: listLink("organization", "study_id", row.id),
    tasks: listLink("task", "study_id", row.id),
  };
}

export function studyRoutes({ db, outbox, ask }: CollaborationDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  async function show(
    rows: StudyRow[],
    include: string[] | undefined,
  ): Promise<Record<string, unknown>[]> {
    const shown = rows.map(showStudy);
    if (!include?.includes("organizations")) return shown;
    return await withOrganizations(
      ask,
      shown,
      await membersOfStudies(db, rows.map((row) => row.id)),
    );
  }

  async function showWithOrganizations(row: StudyRow) {
    const [shown] = await show([row], ["organizations"]);
    return shown;
  }

  async function requireStudy(given: string): Promise<StudyRow & StudyPlace> {
    const studyId = pathId(given);
    const row = found(await studyById(db, studyId), "study", studyId);
    return { ...row, organization_ids: await studyMembers(db, studyId) };
  }

  routes.get(
    "/study",
    allow(["user", "node", "container"], "study:VIEW"),
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
      if (principal.kind !== "user") {
        where.push(db`collaboration_id = any(${collaborationIds(principal)})`);
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
      return pageAnswer(c, await show(rows, wanted.include), total, wanted);
    },
  );

  routes.post(
    "/study",
    allow(["user"], "study:CREATE"),
    body(newStudy),
    idempotent(db),
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
      await requireMembers(db, values.collaboration_id, organization_ids);
      const organizations = await showOrganizations(ask, organization_ids);
      try {
        return await once(c, outbox, async ({ tx, emit }) => {
          await requireMembers(tx, values.collaboration_id, organization_ids);
          const row = await insertStudy(tx, values, organization_ids);
          emit("study.changed", { study_id: row.id, collaboration_id: row.collaboration_id });
          return c.json({ ...showStudy(row), organizations }, 201);
        });
      } catch (error) {
        throw asDuplicate(error);
      }
    },
  );

  routes.get(
    "/study/:id",
    allow(["user", "node", "container"], "study:VIEW"),
    query(oneQuery),
    async function getStudy(c) {
      const study = await requireStudy(c.req.param("id"));
      demand(mayStudy(c.get("principal"), "study:VIEW", study), `view study ${study.id}`);
      const [shown] = await show([study], c.req.valid("query").include);
      return c.json(shown);
    },
  );

  routes.patch(
    "/study/:id",
    allow(["user"], "study:EDIT"),
    body(changes),
    async function editStudy(c) {
      const { name, organization_ids } = c.req.valid("json");
      const study = await requireStudy(c.req.param("id"));
      const { id, collaboration_id } = study;
      demand(mayStudy(c.get("principal"), "study:EDIT", study), `edit study ${id}`);
      try {
        const row = await outbox.change(async ({ tx, emit }) => {
          if (organization_ids) await requireMembers(tx, collaboration_id, organization_ids);
          let row = found(await lockStudy(tx, id), "study", id);
          if (name !== undefined) row = await updateStudyName(tx, id, name);
          if (organization_ids) {
            await removeStudyMembers(tx, id, await studyMembers(tx, id));
            await addStudyMembers(tx, id, organization_ids);
          }
          emit("study.changed", { study_id: id, collaboration_id });
          return row;
        });
        return c.json(await showWithOrganizations(row));
      } catch (error) {
        throw asDuplicate(error);
      }
    },
  );

  routes.delete(
    "/study/:id",
    allow(["user"], "study:DELETE"),
    query(deleteQuery),
    async function removeStudy(c) {
      const study = await requireStudy(c.req.param("id"));
      const { id, collaboration_id } = study;
      demand(mayStudy(c.get("principal"), "study:DELETE", study), `delete study ${id}`);
      if (!c.req.valid("query").delete_dependents) {
        const { tasks } = await ask("task", "count", { study_id: id });
        if (tasks > 0) {
          throw new SextantError(
            "conflict",
            `Study ${id} has tasks; delete them first, or set delete_dependents.`,
          );
        }
      }
      await outbox.change(async ({ tx, emit }) => {
        if (await deleteStudy(tx, id)) emit("study.deleted", { study_id: id, collaboration_id });
      });
      return c.json({ msg: `Study ${id} was deleted.` });
    },
  );

  routes.post(
    "/study/:id/organization",
    allow(["user"], "study:EDIT"),
    body(one),
    async function addStudyOrganization(c) {
      const organizationId = c.req.valid("json").id;
      const { id, collaboration_id } = await requireStudy(c.req.param("id"));
      demand(
        mayCollaboration(c.get("principal"), "study:EDIT", collaboration_id),
        `edit study ${id}`,
      );
      await requireOrganizations(ask, [organizationId]);
      const members = await outbox.change(async ({ tx, emit }) => {
        await requireMembers(tx, collaboration_id, [organizationId]);
        found(await lockStudy(tx, id), "study", id);
        await addStudyMembers(tx, id, [organizationId]);
        emit("study.changed", { study_id: id, collaboration_id });
        return await studyMembers(tx, id);
      });
      return c.json(await showOrganizations(ask, members));
    },
  );

  routes.delete(
    "/study/:id/organization",
    allow(["user"], "study:EDIT"),
    body(one),
    async function removeStudyOrganization(c) {
      const organizationId = c.req.valid("json").id;
      const { id, collaboration_id } = await requireStudy(c.req.param("id"));
      demand(
        mayCollaboration(c.get("principal"), "study:EDIT", collaboration_id),
        `edit study ${id}`,
      );
      const members = await outbox.change(async ({ tx, emit }) => {
        if (await removeStudyMembers(tx, id, [organizationId]) === 0) {
          throw new SextantError(
            "not_found",
            `Organization ${organizationId} is not in study ${id}.`,
          );
        }
        emit("study.changed", { study_id: id, collaboration_id });
        return await studyMembers(tx, id);
      });
      return c.json(await showOrganizations(ask, members));
    },
  );

  return routes;
}

/** Throws 400 unless all are members of the collaboration, and keeps them members until the change is over. */
async function requireMembers(tx: Tx, collaborationId: number, ids: number[]): Promise<void> {
  const members = await lockMembers(tx, collaborationId);
  const outside = ids.filter((one) => !members.includes(one));
  if (outside.length > 0) {
    throw new SextantError(
      "invalid_request",
      `Organization ${outside.join(", ")} is not in collaboration ${collaborationId}.`,
    );
  }
}

function asDuplicate(error: unknown): unknown {
  if (uniqueViolation(error) !== "study_name_unique") return error;
  return new SextantError("conflict", "A study with this name exists already.");
}
