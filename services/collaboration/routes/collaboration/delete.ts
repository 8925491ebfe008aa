import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { collaborationDeletion } from "../../../../shared/contract/collaboration.ts";
import { demand, mayCollaboration } from "../../../../shared/contract/permissions.ts";
import { query } from "../../../../shared/contract/validate.ts";
import { hasDependents, removeCollaboration } from "../../changes/collaboration.ts";
import type { CollaborationDeps } from "../../deps.ts";
import { shutOut } from "../../questions.ts";
import { requireCollaboration } from "./require_collaboration.ts";

export function deleteCollaboration(app: Hono<AppEnv>, deps: CollaborationDeps): void {
  app.delete(
    "/collaboration/:id",
    allow(["user"], "collaboration:DELETE"),
    query(collaborationDeletion),
    answers(said),
    async function deleteCollaboration(c) {
      const { id } = await requireCollaboration(deps.db, c.req.param("id"));
      demand(
        mayCollaboration(c.get("principal"), "collaboration:DELETE", id),
        `delete collaboration ${id}`,
      );
      const withDependents = c.req.valid("query").delete_dependents ?? false;
      if (!withDependents) {
        const { tasks } = await deps.ask("task", "count", { collaboration_id: id });
        if (tasks > 0) throw hasDependents(id);
      }
      const nodes = await deps.outbox.change((change) =>
        removeCollaboration(change, id, { withDependents })
      );
      await shutOut(deps, nodes);
      return c.json({ msg: `Collaboration ${id} was deleted.` });
    },
  );
}
