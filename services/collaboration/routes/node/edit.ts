import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { node, nodeChanges } from "../../../../shared/contract/node.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { body } from "../../../../shared/contract/validate.ts";
import { updateNode } from "../../changes/node.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { mayNode } from "../../../../shared/contract/place_permissions.ts";
import { showNode } from "../../show.ts";
import { configOfNodes } from "../../store/node.ts";
import { requireNode } from "./require_node.ts";

export function editNode(app: Hono<AppEnv>, { db, outbox }: CollaborationDeps): void {
  app.patch(
    "/node/:id",
    allow(["user", "node"], "node:EDIT"),
    body(nodeChanges),
    answers(node),
    async function editNode(c) {
      const { name, ip, clear_ip, config } = c.req.valid("json");
      const before = await requireNode(db, c.req.param("id"));
      const { id } = before;
      const principal = c.get("principal");
      demand(mayNode(principal, "node:EDIT", before), `edit node ${id}`);
      const isItself = principal.kind === "node" && principal.id === id;
      if (config) demand(isItself, `tell of the configuration of node ${id}`);
      const row = await outbox.change((change) =>
        updateNode(change, id, { name, ip: clear_ip ? null : ip, config })
      );
      return c.json(showNode(row, await configOfNodes(db, [id])));
    },
  );
}
