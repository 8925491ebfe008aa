import { Hono } from "hono";
import { dateText } from "../../../shared/contract/fields.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { allow } from "../../../shared/contract/allow.ts";
import { answers } from "../../../shared/contract/answers.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { body, found, pathId } from "../../../shared/contract/validate.ts";
import { nodeMetricsSchema } from "../../../shared/node_protocol/metrics.ts";
import { demand, scopesOf } from "../../../shared/contract/permissions.ts";
import type { CollaborationDeps } from "../deps.ts";
import { METRICS_TYPE, metricsText } from "../metrics_text.ts";
import { mayNode } from "../rules.ts";
import { nodeById } from "../store.ts";
import { keepMetrics, lastReport, measuredNodes } from "../store/metrics.ts";

// All beyond the field's API.
export function metricsRoutes({ db, ask }: CollaborationDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  // Each report takes the place of the last one. No event and no audit record: nothing has changed.
  routes.put(
    "/node/:id/metrics",
    allow(["node"], "node:EDIT"),
    body(nodeMetricsSchema),
    async function reportMetrics(c) {
      const nodeId = pathId(c.req.param("id"));
      const { id } = found(await nodeById(db, nodeId), "node", nodeId);
      demand(c.get("principal").id === id, `report metrics of node ${id}`);
      await keepMetrics(db, id, c.req.valid("json"));
      return c.json({ msg: "The report was kept." });
    },
  );

  routes.get(
    "/node/:id/metrics",
    allow(["user", "node"], "node:VIEW"),
    async function getMetrics(c) {
      const nodeId = pathId(c.req.param("id"));
      const row = found(await nodeById(db, nodeId), "node", nodeId);
      demand(mayNode(c.get("principal"), "node:VIEW", row), `view node ${row.id}`);
      const report = await lastReport(db, row.id);
      if (!report) {
        throw new SextantError(
          "not_found",
          `Node ${row.id} has reported no metrics; its owner decides that (prometheus.enabled).`,
        );
      }
      const { reported_at, age_seconds, metrics } = report;
      return c.json({ reported_at: dateText(reported_at), age_seconds, ...metrics });
    },
  );

  // For Prometheus, with the token of somebody who may view all nodes.
  routes.get(
    "/metrics",
    allow(["user"], "node:VIEW"),
    answers(undefined, { type: "text/plain" }),
    async function collectMetrics(c) {
      demand(
        scopesOf(c.get("principal"), "node:VIEW").has("GLOBAL"),
        "view the metrics of all nodes",
      );
      const nodes = await measuredNodes(db);
      const ids = [...new Set(nodes.map(({ organization_id }) => organization_id))];
      const organizations = await ask("identity", "organizations", { ids });
      const names = new Map(organizations.map(({ id, name }) => [id, name]));
      return c.body(metricsText(nodes, names), 200, { "content-type": METRICS_TYPE });
    },
  );

  return routes;
}
