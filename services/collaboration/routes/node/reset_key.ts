import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { nodeKey, nodeKeyReset } from "../../../../shared/contract/node.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { body, found } from "../../../../shared/contract/validate.ts";
import * as changes from "../../changes/node.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { shutOut } from "../../questions.ts";
import { mayNode } from "../../../../shared/contract/place_permissions.ts";
import { nodeById } from "../../store/node.ts";

export function resetNodeKey(app: Hono<AppEnv>, deps: CollaborationDeps): void {
  app.post(
    "/recover/node",
    allow(["user"], "node:EDIT"),
    body(nodeKeyReset),
    answers(nodeKey, {
      does: "Gives a node a new API key, shown this once; the old one and all that came of it end.",
    }),
    async function resetNodeKey(c) {
      const { id } = c.req.valid("json");
      const row = found(await nodeById(deps.db, id), "node", id);
      demand(mayNode(c.get("principal"), "node:EDIT", row), `reset the key of node ${id}`);
      const api_key = await deps.outbox.change((change) => changes.resetNodeKey(change, id));
      await shutOut(deps, [row]);
      return c.json({ api_key });
    },
  );
}
