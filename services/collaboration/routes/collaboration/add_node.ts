import type { Hono } from "hono";
import { z } from "zod";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { collaborationPart } from "../../../../shared/contract/collaboration.ts";
import { memberNode } from "../../../../shared/contract/node.ts";
import { demand, mayCollaboration } from "../../../../shared/contract/permissions.ts";
import { body, found } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { moveNode } from "../../changes/node.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { showMemberNode } from "../../show.ts";
import { nodeById, nodesOfCollaborations } from "../../store/node.ts";
import { requireCollaboration } from "./require_collaboration.ts";

export function addNode(app: Hono<AppEnv>, { db, outbox }: CollaborationDeps): void {
  app.post(
    "/collaboration/:id/node",
    allow(["user"], "collaboration:EDIT"),
    body(collaborationPart),
    answers(z.array(memberNode), {
      status: 201,
      does: "Moves a node here from the collaboration that it is in.",
    }),
    async function addNode(c) {
      const principal = c.get("principal");
      const nodeId = c.req.valid("json").id;
      const { id } = await requireCollaboration(db, c.req.param("id"));
      demand(mayCollaboration(principal, "collaboration:EDIT", id), `edit collaboration ${id}`);
      const node = found(await nodeById(db, nodeId), "node", nodeId);
      demand(
        mayCollaboration(principal, "collaboration:EDIT", node.collaboration_id),
        `take node ${nodeId} out of its collaboration`,
      );
      if (node.collaboration_id === id) {
        throw new SextantError("conflict", `Node ${nodeId} is in collaboration ${id} already.`);
      }
      await outbox.change((change) => moveNode(change, node, id));
      return c.json((await nodesOfCollaborations(db, [id])).map(showMemberNode), 201);
    },
  );
}
