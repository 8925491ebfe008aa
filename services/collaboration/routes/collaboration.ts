import { Hono } from "hono";
import { z } from "zod";
import {
  listLink,
  name,
  pageAnswer,
  pageQuery,
  pageWindow,
  parseSort,
  queryBoolean,
  queryId,
  queryInclude,
  text,
  uniqueIds,
} from "../../../shared/contract.ts";
import { type Fragment, uniqueViolation } from "../../../shared/db.ts";
import { SextantError } from "../../../shared/errors.ts";
import { allow, type AppEnv, body, found, pathId, query } from "../../../shared/http.ts";
import { collaborationIds, demand, widestScope } from "../../../shared/policy.ts";
import type { CollaborationDeps } from "../app.ts";
import { requireOrganizations, showOrganizations } from "../organizations.ts";
import { mayViewCollaboration } from "../rules.ts";
import {
  collaborationById,
  collaborationMembers,
  collaborationPage,
  type CollaborationRow,
  insertCollaboration,
} from "../store.ts";

const newCollaboration = z.object({
  name,
  organization_ids: uniqueIds.min(1, "must name at least one organization"),
  encrypted: z.boolean(),
});

const oneQuery = z.object({ include: queryInclude.optional() });
const listQuery = pageQuery.extend({
  name: text.optional(),
  encrypted: queryBoolean.optional(),
  organization_id: queryId.optional(),
  include: queryInclude.optional(),
});

const SORTABLE = ["id", "name", "encrypted"];

/** The contract's Collaboration (§3.2). */
export function showCollaboration(row: CollaborationRow) {
  return {
    id: row.id,
    name: row.name,
    encrypted: row.encrypted,
    organizations: listLink("organization", "collaboration_id", row.id),
    nodes: listLink("node", "collaboration_id", row.id),
    tasks: listLink("task", "collaboration_id", row.id),
    studies: listLink("study", "collaboration_id", row.id),
    algorithm_stores: listLink("algorithmstore", "collaboration_id", row.id),
  };
}

export function collaborationRoutes(deps: CollaborationDeps): Hono<AppEnv> {
  const { db, outbox, ask } = deps;
  const routes = new Hono<AppEnv>();

  async function show(row: CollaborationRow, include: string[] | undefined) {
    if (!include?.includes("organizations")) return showCollaboration(row);
    const organizations = await showOrganizations(ask, await collaborationMembers(db, row.id));
    return { ...showCollaboration(row), organizations };
  }

  routes.get(
    "/collaboration",
    allow("user node", "collaboration:VIEW"),
    query(listQuery),
    async function listCollaborations(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      const where: Fragment[] = [];
      const everywhere = widestScope(principal, "collaboration:VIEW") === "GLOBAL";
      if (!everywhere) where.push(db`id = any(${collaborationIds(principal)})`);
      if (wanted.organization_id !== undefined) {
        demand(
          everywhere || wanted.organization_id === principal.organization_id,
          "view the collaborations of another organization",
        );
        where.push(
          db`id in (select collaboration_id from collaboration_member
                    where organization_id = ${wanted.organization_id})`,
        );
      }
      if (wanted.name !== undefined) where.push(db`name like ${wanted.name} escape ''`);
      if (wanted.encrypted !== undefined) where.push(db`encrypted = ${wanted.encrypted}`);
      const { rows, total } = await collaborationPage(db, {
        where,
        order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        window: pageWindow(wanted),
      });
      const items = await Promise.all(rows.map((row) => show(row, wanted.include)));
      return pageAnswer(c, items, total, wanted);
    },
  );

  routes.post(
    "/collaboration",
    allow("user", "collaboration:CREATE"),
    body(newCollaboration),
    async function createCollaboration(c) {
      const { organization_ids, ...values } = c.req.valid("json");
      await requireOrganizations(ask, organization_ids);
      try {
        const row = await outbox.change(async ({ tx, emit }) => {
          const row = await insertCollaboration(tx, values, organization_ids);
          emit("collaboration.changed", { collaboration_id: row.id });
          return row;
        });
        return c.json(showCollaboration(row)); // 200, as the field's clients know it
      } catch (error) {
        if (uniqueViolation(error) !== "collaboration_name_unique") throw error;
        throw new SextantError(
          "conflict",
          `A collaboration named "${values.name}" exists already.`,
        );
      }
    },
  );

  routes.get(
    "/collaboration/:id",
    allow("user node container", "collaboration:VIEW"),
    query(oneQuery),
    async function getCollaboration(c) {
      const collaborationId = pathId(c.req.param("id"));
      const row = found(
        await collaborationById(db, collaborationId),
        "collaboration",
        collaborationId,
      );
      demand(
        mayViewCollaboration(c.get("principal"), collaborationId),
        `view collaboration ${collaborationId}`,
      );
      return c.json(await show(row, c.req.valid("query").include));
    },
  );

  return routes;
}
