import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { removeNode } from "../../changes/node.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { shutOut } from "../../questions.ts";
import { mayNode } from "../../../../shared/contract/place_permissions.ts";
import { requireNode } from "./require_node.ts";

export function deleteNode(app: Hono<AppEnv>, deps: CollaborationDeps): void {
  app.delete(
    "/node/:id",
    allow(["user"], "node:DELETE"),
    answers(said),
    async function deleteNode(c) {
      const row = await requireNode(deps.db, c.req.param("id"));
      demand(mayNode(c.get("principal"), "node:DELETE", row), `delete node ${row.id}`);
      await shutOut(deps, await deps.outbox.change((change) => removeNode(change, row.id)));
      return c.json({ msg: `Node ${row.id} was deleted.` });
    },
  );
}
