import type { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { body } from "../../../../shared/contract/validate.ts";
import {
  MOST_ALGORITHM_BYTES,
  toldAlgorithms,
} from "../../../../shared/node_protocol/algorithms.ts";
import * as changes from "../../changes/algorithm.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { requireNode } from "../node/require_node.ts";

export function tellAlgorithms(app: Hono<AppEnv>, { db }: CollaborationDeps): void {
  app.put(
    "/node/:id/algorithms",
    allow(["node"], "node:EDIT"),
    bodyLimit({ maxSize: MOST_ALGORITHM_BYTES }),
    body(toldAlgorithms),
    answers(said, { does: "A node tells which algorithms may run there, beyond v6's API." }),
    async function tellAlgorithms(c) {
      const { id } = await requireNode(db, c.req.param("id"));
      demand(c.get("principal").id === id, `tell of the algorithms of node ${id}`);
      const { algorithms } = c.req.valid("json");
      await db.begin((tx) => changes.tellAlgorithms(tx, id, algorithms));
      return c.json({ msg: "What the node told was kept." });
    },
  );
}
