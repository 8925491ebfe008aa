import { Hono } from "hono";
import { z } from "zod";
import {
  dateText,
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
import { type Fragment, uniqueViolation } from "../../../shared/storage/db.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { allow } from "../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { body, found, pathId, query } from "../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../shared/storage/idempotency.ts";
import {
  collaborationIds,
  demand,
  mayCollaboration,
  widestScope,
} from "../../../shared/contract/permissions.ts";
import type { CollaborationDeps } from "../deps.ts";
import { shutOut, tellDeparture, tellNodesDeleted } from "../departures.ts";
import { requireOrganizations, showOrganizations, withOrganizations } from "../organizations.ts";
import { mayAddOrganization, mayViewCollaboration } from "../rules.ts";
import {
  addMembers,
  collaborationById,
  collaborationMembers,
  collaborationPage,
  type CollaborationRow,
  deleteCollaboration,
  hasStudiesOrNodes,
  insertCollaboration,
  lockCollaboration,
  lockForDeletion,
  membersOfCollaborations,
  moveNode,
  nodeById,
  type NodeRow,
  nodesOfCollaborations,
  removeMembers,
  storeById,
  updateCollaboration,
} from "../store.ts";
import { asNodeDuplicate, removeNode } from "./node.ts";

const organizationIds = uniqueIds.min(1, "must name at least one organization");
const newCollaboration = z.object({
  name,
  organization_ids: organizationIds,
  encrypted: z.boolean(),
});
const changes = z.object({
  name: name.optional(),
  encrypted: z.boolean().optional(),
  organization_ids: organizationIds.optional(),
});
const one = z.object({ id });

const oneQuery = z.object({ include: queryInclude.optional() });
const deleteQuery = z.object({ delete_dependents: queryBoolean.optional() });
const listQuery = pageQuery.extend({
  name: text.optional(),
  encrypted: queryBoolean.optional(),
  organization_id: queryId.optional(),
  algorithm_store_id: queryId.optional(),
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

function showMemberNode(row: NodeRow) {
  const { id, name, ip, status, last_seen, organization_id } = row;
  const organization = referTo("organization", organization_id);
  return { id, name, ip, status, last_seen: dateText(last_seen), organization };
}

export function collaborationRoutes(deps: CollaborationDeps): Hono<AppEnv> {
  const { db, outbox, ask } = deps;
  const routes = new Hono<AppEnv>();

  async function show(
    rows: CollaborationRow[],
    include: string[] | undefined,
  ): Promise<Record<string, unknown>[]> {
    const shown = rows.map(showCollaboration);
    if (!include?.includes("organizations")) return shown;
    return await withOrganizations(
      ask,
      shown,
      await membersOfCollaborations(db, rows.map((row) => row.id)),
    );
  }

  async function requireCollaboration(given: string): Promise<CollaborationRow> {
    const collaborationId = pathId(given);
    return found(await collaborationById(db, collaborationId), "collaboration", collaborationId);
  }

  routes.get(
    "/collaboration",
    allow(["user", "node"], "collaboration:VIEW"),
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
      if (wanted.algorithm_store_id !== undefined) {
        const storeId = wanted.algorithm_store_id;
        const store = found(await storeById(db, storeId), "algorithm store", storeId);
        if (store.collaboration_id !== null) where.push(db`id = ${store.collaboration_id}`);
      }
      if (wanted.name !== undefined) where.push(db`name like ${wanted.name} escape ''`);
      if (wanted.encrypted !== undefined) where.push(db`encrypted = ${wanted.encrypted}`);
      const { rows, total } = await collaborationPage(db, {
        where,
        order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        window: pageWindow(wanted),
      });
      return pageAnswer(c, await show(rows, wanted.include), total, wanted);
    },
  );

  routes.post(
    "/collaboration",
    allow(["user"], "collaboration:CREATE"),
    body(newCollaboration),
    idempotent(db),
    async function createCollaboration(c) {
      const { organization_ids, ...values } = c.req.valid("json");
      await requireOrganizations(ask, organization_ids);
      try {
        return await once(c, outbox, async ({ tx, emit }) => {
          const row = await insertCollaboration(tx, values, organization_ids);
          emit("collaboration.changed", { collaboration_id: row.id });
          return c.json(showCollaboration(row)); // 200, as the field's clients know it
        });
      } catch (error) {
        throw asDuplicate(error);
      }
    },
  );

  routes.get(
    "/collaboration/:id",
    allow(["user", "node", "container"], "collaboration:VIEW"),
    query(oneQuery),
    async function getCollaboration(c) {
      const row = await requireCollaboration(c.req.param("id"));
      demand(mayViewCollaboration(c.get("principal"), row.id), `view collaboration ${row.id}`);
      const [shown] = await show([row], c.req.valid("query").include);
      return c.json(shown);
    },
  );

  routes.patch(
    "/collaboration/:id",
    allow(["user"], "collaboration:EDIT"),
    body(changes),
    async function editCollaboration(c) {
      const principal = c.get("principal");
      const { organization_ids, ...values } = c.req.valid("json");
      const { id } = await requireCollaboration(c.req.param("id"));
      demand(mayCollaboration(principal, "collaboration:EDIT", id), `edit collaboration ${id}`);
      if (organization_ids) {
        const everywhere = widestScope(principal, "collaboration:EDIT") === "GLOBAL";
        demand(everywhere, `replace the organizations of collaboration ${id}`);
        await requireOrganizations(ask, organization_ids);
      }
      try {
        const { row, nodes } = await outbox.change(async ({ tx, emit }) => {
          found(await lockCollaboration(tx, id), "collaboration", id);
          const row = await updateCollaboration(tx, id, values);
          const wanted = organization_ids ?? await collaborationMembers(tx, id);
          const gone = (await collaborationMembers(tx, id)).filter((one) => !wanted.includes(one));
          await addMembers(tx, id, wanted);
          const departure = await removeMembers(tx, id, gone);
          tellDeparture(emit, id, departure);
          return { row, nodes: departure.nodes };
        });
        await shutOut(deps, nodes);
        return c.json(showCollaboration(row));
      } catch (error) {
        throw asDuplicate(error);
      }
    },
  );

  routes.delete(
    "/collaboration/:id",
    allow(["user"], "collaboration:DELETE"),
    query(deleteQuery),
    async function removeCollaboration(c) {
      const { id } = await requireCollaboration(c.req.param("id"));
      demand(
        mayCollaboration(c.get("principal"), "collaboration:DELETE", id),
        `delete collaboration ${id}`,
      );
      const withDependents = c.req.valid("query").delete_dependents ?? false;
      if (!withDependents) {
        const { tasks } = await ask("task", "count", { collaboration_id: id });
        if (tasks > 0) throw hasDependents(id);
      }
      const nodes = await outbox.change(async ({ tx, emit }) => {
        if (!await lockForDeletion(tx, id)) return [];
        if (!withDependents && await hasStudiesOrNodes(tx, id)) throw hasDependents(id);
        const gone = await deleteCollaboration(tx, id);
        for (const study_id of gone.studyIds) {
          emit("study.deleted", { study_id, collaboration_id: id });
        }
        tellNodesDeleted(emit, gone.nodes);
        for (const algorithmstore_id of gone.storeIds) {
          emit("algorithmstore.deleted", { algorithmstore_id, collaboration_id: id });
        }
        emit("collaboration.deleted", { collaboration_id: id });
        return gone.nodes;
      });
      await shutOut(deps, nodes);
      return c.json({ msg: `Collaboration ${id} was deleted.` });
    },
  );

  routes.post(
    "/collaboration/:id/organization",
    allow(["user"], "collaboration:EDIT"),
    body(one),
    async function addOrganization(c) {
      const principal = c.get("principal");
      const organizationId = c.req.valid("json").id;
      const { id } = await requireCollaboration(c.req.param("id"));
      demand(mayCollaboration(principal, "collaboration:EDIT", id), `edit collaboration ${id}`);
      await requireOrganizations(ask, [organizationId]);
      demand(
        mayAddOrganization(principal, id, organizationId),
        `bring organization ${organizationId}, which you work with nowhere yet, into collaboration ${id}`,
      );
      const members = await outbox.change(async ({ tx, emit }) => {
        found(await lockCollaboration(tx, id), "collaboration", id);
        await addMembers(tx, id, [organizationId]);
        emit("collaboration.changed", { collaboration_id: id });
        return await collaborationMembers(tx, id);
      });
      return c.json(await showOrganizations(ask, members));
    },
  );

  routes.delete(
    "/collaboration/:id/organization",
    allow(["user"], "collaboration:EDIT"),
    body(one),
    async function removeOrganization(c) {
      const organizationId = c.req.valid("json").id;
      const { id } = await requireCollaboration(c.req.param("id"));
      demand(
        mayCollaboration(c.get("principal"), "collaboration:EDIT", id),
        `edit collaboration ${id}`,
      );
      const { members, nodes } = await outbox.change(async ({ tx, emit }) => {
        found(await lockCollaboration(tx, id), "collaboration", id);
        if (!(await collaborationMembers(tx, id)).includes(organizationId)) {
          throw new SextantError(
            "not_found",
            `Organization ${organizationId} is not a member of collaboration ${id}.`,
          );
        }
        const departure = await removeMembers(tx, id, [organizationId]);
        tellDeparture(emit, id, departure);
        return { members: await collaborationMembers(tx, id), nodes: departure.nodes };
      });
      await shutOut(deps, nodes);
      return c.json(await showOrganizations(ask, members));
    },
  );

  routes.post(
    "/collaboration/:id/node",
    allow(["user"], "collaboration:EDIT"),
    body(one),
    async function addNode(c) {
      const principal = c.get("principal");
      const nodeId = c.req.valid("json").id;
      const { id } = await requireCollaboration(c.req.param("id"));
      demand(mayCollaboration(principal, "collaboration:EDIT", id), `edit collaboration ${id}`);
      const node = found(await nodeById(db, nodeId), "node", nodeId);
      demand(
        mayCollaboration(principal, "collaboration:EDIT", node.collaboration_id),
        `take node ${nodeId} out of its collaboration`,
      );
      if (node.collaboration_id === id) {
        throw new SextantError("conflict", `Node ${nodeId} is in collaboration ${id} already.`);
      }
      try {
        await outbox.change(async ({ tx, emit }) => {
          found(await lockCollaboration(tx, id), "collaboration", id);
          if (!(await collaborationMembers(tx, id)).includes(node.organization_id)) {
            throw new SextantError(
              "invalid_request",
              `The node's organization is not a member of collaboration ${id}.`,
            );
          }
          const { organization_id } = found(await moveNode(tx, node, id), "node", nodeId);
          emit("node.changed", { node_id: nodeId, organization_id, collaboration_id: id });
        });
      } catch (error) {
        throw asNodeDuplicate(error);
      }
      return c.json((await nodesOfCollaborations(db, [id])).map(showMemberNode), 201);
    },
  );

  routes.delete(
    "/collaboration/:id/node",
    allow(["user"], "collaboration:EDIT"),
    body(one),
    async function takeNodeOut(c) {
      const nodeId = c.req.valid("json").id;
      const { id } = await requireCollaboration(c.req.param("id"));
      demand(
        mayCollaboration(c.get("principal"), "collaboration:EDIT", id),
        `edit collaboration ${id}`,
      );
      const node = found(await nodeById(db, nodeId), "node", nodeId);
      if (node.collaboration_id !== id) {
        throw new SextantError("invalid_request", `Node ${nodeId} is not in collaboration ${id}.`);
      }
      await removeNode(deps, nodeId); // a node is nothing without its collaboration
      return c.json({ msg: `Node ${nodeId} was taken out of collaboration ${id}.` });
    },
  );

  return routes;
}

function hasDependents(id: number): SextantError {
  return new SextantError(
    "conflict",
    `Collaboration ${id} has tasks, nodes or studies; delete them first, or set delete_dependents.`,
  );
}

function asDuplicate(error: unknown): unknown {
  if (uniqueViolation(error) !== "collaboration_name_unique") return error;
  return new SextantError("conflict", "A collaboration with this name exists already.");
}
