import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { node } from "../../../../shared/contract/node.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { mayNode } from "../../../../shared/contract/place_permissions.ts";
import { showNode } from "../../show.ts";
import { configOfNodes } from "../../store/node.ts";
import { requireNode } from "./require_node.ts";

export function getNode(app: Hono<AppEnv>, { db }: CollaborationDeps): void {
  app.get(
    "/node/:id",
    allow(["user", "node"], "node:VIEW"),
    answers(node),
    async function getNode(c) {
      const row = await requireNode(db, c.req.param("id"));
      demand(mayNode(c.get("principal"), "node:VIEW", row), `view node ${row.id}`);
      return c.json(showNode(row, await configOfNodes(db, [row.id])));
    },
  );
}
