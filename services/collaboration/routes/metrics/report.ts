import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { nodeMetricsSchema } from "../../../../shared/node_protocol/metrics.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { keepMetrics } from "../../store/metrics.ts";
import { requireNode } from "../node/require_node.ts";

export function reportMetrics(app: Hono<AppEnv>, { db }: CollaborationDeps): void {
  // Each report takes the place of the last one. No event and no audit record: nothing has changed.
  app.put(
    "/node/:id/metrics",
    allow(["node"], "node:EDIT"),
    body(nodeMetricsSchema),
    answers(said, { does: "A node tells of its machine, beyond v6's API." }),
    async function reportMetrics(c) {
      const { id } = await requireNode(db, c.req.param("id"));
      demand(c.get("principal").id === id, `report metrics of node ${id}`);
      await keepMetrics(db, id, c.req.valid("json"));
      return c.json({ msg: "The report was kept." });
    },
  );
}
