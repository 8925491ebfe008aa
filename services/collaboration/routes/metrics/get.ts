import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { dateText } from "../../../../shared/contract/fields.ts";
import { nodeMetrics } from "../../../../shared/contract/metrics.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { mayNode } from "../../../../shared/contract/place_permissions.ts";
import { lastReport } from "../../store/metrics.ts";
import { requireNode } from "../node/require_node.ts";

export function getMetrics(app: Hono<AppEnv>, { db }: CollaborationDeps): void {
  app.get(
    "/node/:id/metrics",
    allow(["user", "node"], "node:VIEW"),
    answers(nodeMetrics, { does: "What a node told of its machine last, beyond v6's API." }),
    async function getMetrics(c) {
      const row = await requireNode(db, c.req.param("id"));
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
}
