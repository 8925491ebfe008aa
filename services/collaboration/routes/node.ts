import { Hono } from "hono";
import { z } from "zod";
import {
  dateText,
  id,
  name,
  nullAsAbsent,
  pageAnswer,
  pageQuery,
  pageWindow,
  parseSort,
  queryDate,
  queryId,
  reference,
  text,
} from "../../../shared/contract.ts";
import { type Fragment, uniqueViolation } from "../../../shared/db.ts";
import { sha256Hex } from "../../../shared/digest.ts";
import { SextantError } from "../../../shared/errors.ts";
import { allow, type AppEnv, body, found, pathId, query } from "../../../shared/http.ts";
import { demand, mayCollaboration, mayOrganization } from "../../../shared/policy.ts";
import type { CollaborationDeps } from "../app.ts";
import { organizationName } from "../organizations.ts";
import { nodeListReach } from "../rules.ts";
import {
  collaborationById,
  collaborationMembers,
  configOfNodes,
  insertNode,
  nodeById,
  type NodeConfigRow,
  nodePage,
  type NodeRow,
  studyById,
  studyMembers,
} from "../store.ts";

const newNode = z.object({
  collaboration_id: id,
  organization_id: nullAsAbsent(id),
  name: nullAsAbsent(name),
});

const listQuery = pageQuery.extend({
  name: text.optional(),
  status: text.optional(),
  ip: text.optional(),
  organization_id: queryId.optional(),
  collaboration_id: queryId.optional(),
  study_id: queryId.optional(),
  last_seen_from: queryDate.optional(),
  last_seen_till: queryDate.optional(),
});

const SORTABLE = ["id", "name", "status", "ip", "last_seen"];

/** The contract's Node (§3.4). */
export function showNode(row: NodeRow, config: NodeConfigRow[]) {
  return {
    id: row.id,
    type: "node",
    name: row.name,
    ip: row.ip,
    status: row.status,
    last_seen: dateText(row.last_seen),
    organization: reference("organization", row.organization_id),
    collaboration: reference("collaboration", row.collaboration_id),
    config: config.filter((entry) => entry.node_id === row.id)
      .map(({ key, value }) => ({ key, value })),
  };
}

export function nodeRoutes({ db, outbox, ask }: CollaborationDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get(
    "/node",
    allow("user node", "node:VIEW"),
    query(listQuery),
    async function listNodes(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      const where: Fragment[] = [];
      const reach = nodeListReach(principal);
      if (reach === "own organization") {
        where.push(
          db`organization_id = ${principal.organization_id}`,
        );
      } else if (reach !== "all") where.push(db`collaboration_id = any(${reach})`);
      if (wanted.name !== undefined) where.push(db`name like ${wanted.name} escape ''`);
      if (wanted.status !== undefined) where.push(db`status = ${wanted.status}`);
      if (wanted.ip !== undefined) where.push(db`ip = ${wanted.ip}`);
      if (wanted.organization_id !== undefined) {
        const allowed = mayOrganization(principal, "node:VIEW", wanted.organization_id);
        demand(allowed, `view the nodes of organization ${wanted.organization_id}`);
        where.push(db`organization_id = ${wanted.organization_id}`);
      }
      if (wanted.collaboration_id !== undefined) {
        const allowed = mayCollaboration(principal, "node:VIEW", wanted.collaboration_id);
        demand(allowed, `view the nodes of collaboration ${wanted.collaboration_id}`);
        where.push(db`collaboration_id = ${wanted.collaboration_id}`);
      }
      if (wanted.study_id !== undefined) {
        const study = await studyById(db, wanted.study_id);
        const allowed = mayCollaboration(principal, "node:VIEW", study?.collaboration_id ?? null);
        demand(allowed, `view the nodes of study ${wanted.study_id}`);
        where.push(
          db`collaboration_id = ${study?.collaboration_id ?? 0}
           and organization_id = any(${await studyMembers(db, wanted.study_id)})`,
        );
      }
      if (wanted.last_seen_from) where.push(db`last_seen >= ${wanted.last_seen_from}`);
      if (wanted.last_seen_till) where.push(db`last_seen <= ${wanted.last_seen_till}`);
      const { rows, total } = await nodePage(db, {
        where,
        order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        window: pageWindow(wanted),
      });
      const config = await configOfNodes(db, rows.map((row) => row.id));
      return pageAnswer(c, rows.map((row) => showNode(row, config)), total, wanted);
    },
  );

  routes.post("/node", allow("user", "node:CREATE"), body(newNode), async function createNode(c) {
    const principal = c.get("principal");
    const given = c.req.valid("json");
    const collaborationId = given.collaboration_id;
    const organizationId = given.organization_id ?? principal.organization_id;
    const collaboration = found(
      await collaborationById(db, collaborationId),
      "collaboration",
      collaborationId,
    );
    const organization = await organizationName(ask, organizationId);
    demand(
      mayOrganization(principal, "node:CREATE", organizationId),
      `create a node for organization ${organizationId}`,
    );
    if (!(await collaborationMembers(db, collaborationId)).includes(organizationId)) {
      throw new SextantError(
        "invalid_request",
        `Organization ${organizationId} is not a member of collaboration ${collaborationId}.`,
      );
    }
    const api_key = crypto.randomUUID();
    const values = {
      name: given.name ?? `${organization} - ${collaboration.name} Node`,
      api_key_sha256: await sha256Hex(api_key),
      organization_id: organizationId,
      collaboration_id: collaborationId,
    };
    try {
      const row = await outbox.change(async ({ tx, emit }) => {
        const row = await insertNode(tx, values);
        emit("node.changed", {
          node_id: row.id,
          organization_id: organizationId,
          collaboration_id: collaborationId,
        });
        return row;
      });
      return c.json({ ...showNode(row, []), api_key }, 201);
    } catch (error) {
      throw asDuplicate(error);
    }
  });

  routes.get("/node/:id", allow("user node", "node:VIEW"), async function getNode(c) {
    const nodeId = pathId(c.req.param("id"));
    const row = found(await nodeById(db, nodeId), "node", nodeId);
    demand(
      mayOrganization(c.get("principal"), "node:VIEW", row.organization_id),
      `view node ${nodeId}`,
    );
    return c.json(showNode(row, await configOfNodes(db, [nodeId])));
  });

  return routes;
}

function asDuplicate(error: unknown): unknown {
  switch (uniqueViolation(error)) {
    case "node_name_unique":
      return new SextantError("conflict", "A node with this name exists already.");
    case "node_place_unique":
      return new SextantError(
        "conflict",
        "The organization has a node in this collaboration already.",
      );
    default:
      return error;
  }
}
