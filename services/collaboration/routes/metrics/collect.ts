import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand, scopesOf } from "../../../../shared/contract/permissions.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { measuredNodes } from "../../store/metrics.ts";
import { METRICS_TYPE, metricsText } from "./metrics_text.ts";

export function collectMetrics(app: Hono<AppEnv>, { db, ask }: CollaborationDeps): void {
  // The gateway adds what the hub tells of itself.
  app.get(
    "/metrics",
    allow(["user"], "node:VIEW"),
    answers(undefined, {
      type: "text/plain",
      does: "Figures of the hub and of all nodes, for Prometheus.",
    }),
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
}
