import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { collaborationPart } from "../../../../shared/contract/collaboration.ts";
import { demand, mayCollaboration } from "../../../../shared/contract/permissions.ts";
import { body, found } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import * as changes from "../../changes/node.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { shutOut } from "../../questions.ts";
import { nodeById } from "../../store/node.ts";
import { requireCollaboration } from "./require_collaboration.ts";

export function removeNode(app: Hono<AppEnv>, deps: CollaborationDeps): void {
  app.delete(
    "/collaboration/:id/node",
    allow(["user"], "collaboration:EDIT"),
    body(collaborationPart),
    answers(said, { does: "Deletes the node, which is nothing without its collaboration." }),
    async function removeNode(c) {
      const nodeId = c.req.valid("json").id;
      const { id } = await requireCollaboration(deps.db, c.req.param("id"));
      demand(
        mayCollaboration(c.get("principal"), "collaboration:EDIT", id),
        `edit collaboration ${id}`,
      );
      const node = found(await nodeById(deps.db, nodeId), "node", nodeId);
      if (node.collaboration_id !== id) {
        throw new SextantError("invalid_request", `Node ${nodeId} is not in collaboration ${id}.`);
      }
      // A node is nothing without its collaboration.
      await shutOut(deps, await deps.outbox.change((change) => changes.removeNode(change, nodeId)));
      return c.json({ msg: `Node ${nodeId} was taken out of collaboration ${id}.` });
    },
  );
}
