import { Hono } from "hono";
import { z } from "zod";
import {
  dateText,
  id,
  name,
  nullAsAbsent,
  queryDate,
  queryId,
  text,
} from "../../../shared/contract/fields.ts";
import { pageAnswer, pageQuery, pageWindow, parseSort } from "../../../shared/contract/paging.ts";
import { referTo } from "../../../shared/contract/references.ts";
import { type Fragment, uniqueViolation } from "../../../shared/storage/db.ts";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { allow } from "../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { body, found, pathId, query } from "../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../shared/storage/idempotency.ts";
import { demand, mayCollaboration, mayOrganization } from "../../../shared/contract/permissions.ts";
import type { CollaborationDeps } from "../deps.ts";
import { shutOut, tellNodesDeleted } from "../departures.ts";
import { organizationName } from "../organizations.ts";
import { mayNode, nodeListReach } from "../rules.ts";
import {
  collaborationById,
  configOfNodes,
  deleteNode,
  insertNode,
  lockMembers,
  nodeById,
  type NodeConfigRow,
  nodePage,
  type NodeRow,
  replaceNodeConfig,
  replaceNodeKey,
  studyById,
  studyMembers,
  updateNode,
} from "../store.ts";

const newNode = z.object({
  collaboration_id: id,
  organization_id: nullAsAbsent(id),
  name: nullAsAbsent(name),
});

/** Beyond the field's API: what a connected node shares of its configuration. */
const sharedConfig = z.array(z.object({
  key: text.pipe(z.string().min(1).max(128)),
  value: text.pipe(z.string().max(1024)),
})).max(1000);

const changes = z.object({
  name: nullAsAbsent(name),
  config: nullAsAbsent(sharedConfig),
  ip: nullAsAbsent(z.union([z.ipv4(), z.ipv6()], { error: "must be an IP address" })),
  clear_ip: nullAsAbsent(z.boolean()),
  organization_id: z.undefined({ error: "cannot be changed: make a new node instead" }).optional(),
  collaboration_id: z.undefined({ error: "cannot be changed: make a new node instead" }).optional(),
});

const recovery = z.object({ id });

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
    organization: referTo("organization", row.organization_id),
    collaboration: referTo("collaboration", row.collaboration_id),
    config: config.filter((entry) => entry.node_id === row.id)
      .map(({ key, value }) => ({ key, value })),
  };
}

/** A new API key and what is stored of it. */
async function newKey(): Promise<{ api_key: string; api_key_sha256: string }> {
  const api_key = crypto.randomUUID();
  return { api_key, api_key_sha256: await sha256Hex(api_key) };
}

/** Deletes a node, tells of it and shuts it out. */
export async function removeNode(deps: CollaborationDeps, nodeId: number): Promise<void> {
  const gone = await deps.outbox.change(async ({ tx, emit }) => {
    const row = await deleteNode(tx, nodeId);
    const gone = row ? [row] : [];
    tellNodesDeleted(emit, gone);
    return gone;
  });
  await shutOut(deps, gone);
}

export function nodeRoutes(deps: CollaborationDeps): Hono<AppEnv> {
  const { db, outbox, ask } = deps;
  const routes = new Hono<AppEnv>();

  async function requireNode(given: string): Promise<NodeRow> {
    const nodeId = pathId(given);
    return found(await nodeById(db, nodeId), "node", nodeId);
  }

  routes.get(
    "/node",
    allow(["user", "node"], "node:VIEW"),
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
        if (!study) {
          throw new SextantError("invalid_request", `There is no study ${wanted.study_id}.`);
        }
        const allowed = mayCollaboration(principal, "node:VIEW", study.collaboration_id);
        demand(allowed, `view the nodes of study ${wanted.study_id}`);
        where.push(
          db`collaboration_id = ${study.collaboration_id}
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

  routes.post(
    "/node",
    allow(["user"], "node:CREATE"),
    body(newNode),
    idempotent(db),
    async function createNode(c) {
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
        mayNode(principal, "node:CREATE", {
          organization_id: organizationId,
          collaboration_id: collaborationId,
        }),
        `create a node for organization ${organizationId} in collaboration ${collaborationId}`,
      );
      const { api_key, api_key_sha256 } = await newKey();
      const values = {
        name: given.name ?? `${organization} - ${collaboration.name} Node`,
        api_key_sha256,
        organization_id: organizationId,
        collaboration_id: collaborationId,
      };
      try {
        return await once(c, outbox, async ({ tx, emit }) => {
          if (!(await lockMembers(tx, collaborationId)).includes(organizationId)) {
            throw new SextantError(
              "invalid_request",
              `Organization ${organizationId} is not a member of collaboration ${collaborationId}.`,
            );
          }
          const row = await insertNode(tx, values);
          emit("node.changed", {
            node_id: row.id,
            organization_id: organizationId,
            collaboration_id: collaborationId,
          });
          return c.json({ ...showNode(row, []), api_key }, 201);
        });
      } catch (error) {
        throw asNodeDuplicate(error);
      }
    },
  );

  routes.get("/node/:id", allow(["user", "node"], "node:VIEW"), async function getNode(c) {
    const row = await requireNode(c.req.param("id"));
    demand(mayNode(c.get("principal"), "node:VIEW", row), `view node ${row.id}`);
    return c.json(showNode(row, await configOfNodes(db, [row.id])));
  });

  routes.patch(
    "/node/:id",
    allow(["user", "node"], "node:EDIT"),
    body(changes),
    async function editNode(c) {
      const { name, ip, clear_ip, config } = c.req.valid("json");
      const { id, organization_id, collaboration_id } = await requireNode(c.req.param("id"));
      const place = { organization_id, collaboration_id };
      const principal = c.get("principal");
      demand(mayNode(principal, "node:EDIT", place), `edit node ${id}`);
      const isItself = principal.kind === "node" && principal.id === id;
      if (config) demand(isItself, `tell of the configuration of node ${id}`);
      try {
        const row = await outbox.change(async ({ tx, emit }) => {
          const row = found(
            await updateNode(tx, id, { name, ip: clear_ip ? null : ip }),
            "node",
            id,
          );
          if (config) await replaceNodeConfig(tx, id, config);
          emit("node.changed", { node_id: id, ...place });
          return row;
        });
        return c.json(showNode(row, await configOfNodes(db, [id])));
      } catch (error) {
        throw asNodeDuplicate(error);
      }
    },
  );

  routes.delete("/node/:id", allow(["user"], "node:DELETE"), async function removeOneNode(c) {
    const row = await requireNode(c.req.param("id"));
    demand(mayNode(c.get("principal"), "node:DELETE", row), `delete node ${row.id}`);
    await removeNode(deps, row.id);
    return c.json({ msg: `Node ${row.id} was deleted.` });
  });

  routes.post(
    "/recover/node",
    allow(["user"], "node:EDIT"),
    body(recovery),
    async function resetNodeKey(c) {
      const nodeId = c.req.valid("json").id;
      const row = found(await nodeById(db, nodeId), "node", nodeId);
      demand(mayNode(c.get("principal"), "node:EDIT", row), `reset the key of node ${nodeId}`);
      const { api_key, api_key_sha256 } = await newKey();
      await outbox.change(async ({ tx, emit }) => {
        const { organization_id, collaboration_id } = found(
          await replaceNodeKey(tx, nodeId, api_key_sha256),
          "node",
          nodeId,
        );
        emit("node.key_reset", { node_id: nodeId, organization_id, collaboration_id });
      });
      await shutOut(deps, [row]);
      return c.json({ api_key });
    },
  );

  return routes;
}

/** Makes the answer of a duplicate name or place out of what the database says; passes on the rest. */
export function asNodeDuplicate(error: unknown): unknown {
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
