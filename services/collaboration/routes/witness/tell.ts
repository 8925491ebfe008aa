import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { signedStatement } from "../../../../shared/node_protocol/witness.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { keepStatement } from "../../store/witness.ts";
import { requireNode } from "../node/require_node.ts";

export function tellWitnessed(app: Hono<AppEnv>, { db }: CollaborationDeps): void {
  // What it says is for other nodes to check. No event and no audit record: nothing has changed.
  app.put(
    "/node/:id/witness",
    allow(["node"], "node:EDIT"),
    body(signedStatement),
    answers(said, {
      does: "A node states what it has seen of the hub's audit record, beyond v6's API.",
    }),
    async function tellWitnessed(c) {
      const { id } = await requireNode(db, c.req.param("id"));
      demand(c.get("principal").id === id, `state what node ${id} has seen`);
      await keepStatement(db, id, c.req.valid("json"));
      return c.json({ msg: "The statement was kept." });
    },
  );
}
