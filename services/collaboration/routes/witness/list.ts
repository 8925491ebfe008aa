import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { signedStatement, statementsAnswer } from "../../../../shared/node_protocol/witness.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { otherStatements } from "../../store/witness.ts";
import { requireNode } from "../node/require_node.ts";

export function listWitnessed(app: Hono<AppEnv>, { db }: CollaborationDeps): void {
  app.get(
    "/node/:id/witness",
    allow(["node"], "node:VIEW"),
    answers(statementsAnswer, {
      does: "What the other nodes of its collaboration state to have seen of the hub's audit " +
        "record, beyond v6's API.",
    }),
    async function listWitnessed(c) {
      const node = await requireNode(db, c.req.param("id"));
      demand(c.get("principal").id === node.id, `read what is stated to node ${node.id}`);
      const others = { nodeId: node.id, collaborationId: node.collaboration_id };
      const rows = await otherStatements(db, others);
      const data = rows.map(({ statement, ...who }) => ({
        ...who,
        ...signedStatement.parse(statement),
      }));
      return c.json({ data });
    },
  );
}
