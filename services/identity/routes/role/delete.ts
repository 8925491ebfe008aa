import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers, said } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { roleDeletion } from "../../../../shared/contract/role.ts";
import { query } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { removeRole } from "../../changes/role.ts";
import type { IdentityDeps } from "../../deps.ts";
import { requireHoldsAll } from "../../rules.ts";
import { userIdsOfRole } from "../../store/role.ts";
import { ruleNamesOfRoles } from "../../store/rule.ts";
import { requireChangeable } from "./require.ts";

export function deleteRole(app: Hono<AppEnv>, { db, outbox }: IdentityDeps): void {
  app.delete(
    "/role/:id",
    allow(["user"], "role:DELETE"),
    query(roleDeletion),
    answers(said, {
      does: "One that users have is refused (400) unless `delete_dependents` is set; then it is " +
        "taken from them.",
    }),
    async function deleteRole(c) {
      const principal = c.get("principal");
      const { id } = await requireChangeable(db, {
        principal,
        id: c.req.param("id"),
        permission: "role:DELETE",
      });
      const { delete_dependents } = c.req.valid("query");
      await outbox.change(async (change) => {
        const users = await userIdsOfRole(change.tx, id);
        if (users.length > 0 && !delete_dependents) {
          throw new SextantError(
            "invalid_request",
            `Role ${id} is assigned to ${users.length} users. ` +
              "Set delete_dependents to take it from them.",
          );
        }
        if (users.length > 0) requireHoldsAll(principal, await ruleNamesOfRoles(change.tx, [id]));
        await removeRole(change, id);
      });
      return c.json({ msg: `Role ${id} is deleted.` });
    },
  );
}
