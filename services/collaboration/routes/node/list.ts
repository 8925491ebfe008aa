import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { node, nodeList } from "../../../../shared/contract/node.ts";
import { pageAnswer, pageOf, pageWindow, parseSort } from "../../../../shared/contract/paging.ts";
import {
  demand,
  mayCollaboration,
  mayOrganization,
  type Principal,
} from "../../../../shared/contract/permissions.ts";
import { query } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import type { Db, Fragment } from "../../../../shared/storage/db.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { nodeListReach } from "../../rules.ts";
import { showNode } from "../../show.ts";
import { configOfNodes, nodePage } from "../../store/node.ts";
import { studyById, studyMembers } from "../../store/study.ts";

const SORTABLE = ["id", "name", "status", "ip", "last_seen"];

export function listNodes(app: Hono<AppEnv>, { db }: CollaborationDeps): void {
  app.get(
    "/node",
    allow(["user", "node"], "node:VIEW"),
    query(nodeList),
    answers(pageOf(node)),
    async function listNodes(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      const where = inReach(db, principal);
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
        where.push(...await ofStudy(db, principal, wanted.study_id));
      }
      if (wanted.last_seen_from) where.push(db`last_seen >= ${wanted.last_seen_from}`);
      if (wanted.last_seen_till) where.push(db`last_seen <= ${wanted.last_seen_till}`);
      const { rows, total } = await nodePage(db, {
        where,
        order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        window: pageWindow(wanted),
      });
      const config = await configOfNodes(db, rows.map((row) => row.id));
      const configOf = Map.groupBy(config, (entry) => entry.node_id);
      const nodes = rows.map((row) => showNode(row, configOf.get(row.id) ?? []));
      return pageAnswer(c, nodes, total, wanted);
    },
  );
}

/** The nodes that the caller may see at all. */
function inReach(db: Db, principal: Principal): Fragment[] {
  const reach = nodeListReach(principal);
  if (reach === "all") return [];
  return [
    reach === "own organization"
      ? db`organization_id = ${principal.organization_id}`
      : db`collaboration_id = any(${reach})`,
  ];
}

/** The nodes of a study's organizations, in its collaboration; 400 when there is no such study. */
async function ofStudy(db: Db, principal: Principal, studyId: number): Promise<Fragment[]> {
  const study = await studyById(db, studyId);
  if (!study) throw new SextantError("invalid_request", `There is no study ${studyId}.`);
  const allowed = mayCollaboration(principal, "node:VIEW", study.collaboration_id);
  demand(allowed, `view the nodes of study ${studyId}`);
  const organizations = await studyMembers(db, studyId);
  return [
    db`collaboration_id = ${study.collaboration_id}`,
    db`organization_id = any(${organizations})`,
  ];
}
