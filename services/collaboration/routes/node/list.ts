import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { node, nodeList } from "../../../../shared/contract/node.ts";
import { listAnswer, pageOf, parseSort } from "../../../../shared/contract/paging.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { showNode } from "../../show.ts";
import { configOfNodes, nodeRows } from "../../store/node.ts";
import { nodesInReach } from "./reach.ts";

const SORTABLE = ["id", "name", "status", "ip", "last_seen"];

export function listNodes(app: Hono<AppEnv>, { db }: CollaborationDeps): void {
  app.get(
    "/node",
    allow(["user", "node"], "node:VIEW"),
    query(nodeList),
    answers(pageOf(node)),
    async function listNodes(c) {
      const wanted = c.req.valid("query");
      const where = await nodesInReach(db, c.get("principal"), wanted);
      if (wanted.name !== undefined) where.push(db`name like ${wanted.name} escape ''`);
      if (wanted.status !== undefined) where.push(db`status = ${wanted.status}`);
      if (wanted.ip !== undefined) where.push(db`ip = ${wanted.ip}`);
      if (wanted.last_seen_from) where.push(db`last_seen >= ${wanted.last_seen_from}`);
      if (wanted.last_seen_till) where.push(db`last_seen <= ${wanted.last_seen_till}`);
      return await listAnswer(c, {
        wanted,
        source: nodeRows(db),
        request: {
          where,
          order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        },
        async show(rows) {
          const config = await configOfNodes(db, rows.map((row) => row.id));
          const configOf = Map.groupBy(config, (entry) => entry.node_id);
          return rows.map((row) => showNode(row, configOf.get(row.id) ?? []));
        },
      });
    },
  );
}
