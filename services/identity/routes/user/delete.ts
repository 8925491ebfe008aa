import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand, mayOrganization } from "../../../../shared/contract/permissions.ts";
import { userDeletion } from "../../../../shared/contract/user.ts";
import { found, pathId, query } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { removeUser } from "../../changes/user.ts";
import type { IdentityDeps } from "../../deps.ts";
import { isSelf } from "../../rules.ts";
import { userById } from "../../store/user.ts";

export function deleteUser(app: Hono<AppEnv>, { db, outbox, ask }: IdentityDeps): void {
  app.delete(
    "/user/:id",
    allow(["user"], "user:DELETE"),
    query(userDeletion),
    answers(said, {
      does: "With tasks it is refused (400) unless `delete_dependents` is set; then they go too.",
    }),
    async function deleteUser(c) {
      const principal = c.get("principal");
      const id = pathId(c.req.param("id"));
      const { organization_id } = found(await userById(db, id), "user", id);
      const allowed = (isSelf(principal, id) && principal.rules.includes("user:DELETE:OWN")) ||
        mayOrganization(principal, "user:DELETE", organization_id);
      demand(allowed, `delete user ${id}`);
      if (!c.req.valid("query").delete_dependents) {
        const { tasks } = await ask("task", "count", { user_id: id });
        if (tasks > 0) {
          throw new SextantError(
            "invalid_request",
            `User ${id} has created ${tasks} tasks. Set delete_dependents to delete them too.`,
          );
        }
      }
      await outbox.change((change) => removeUser(change, id));
      return c.json({ msg: `User ${id} is deleted.` });
    },
  );
}
