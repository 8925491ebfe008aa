import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand, mayOrganization } from "../../../../shared/contract/permissions.ts";
import { type User, user, userQuery } from "../../../../shared/contract/user.ts";
import { found, pathId, query } from "../../../../shared/contract/validate.ts";
import type { IdentityDeps } from "../../deps.ts";
import { isSelf } from "../../rules.ts";
import { showUser } from "../../show.ts";
import { effectiveRuleIdsOfUser } from "../../store/rule.ts";
import { roleIdsOfUser, userById, type UserRow } from "../../store/user.ts";

export function getUser(app: Hono<AppEnv>, { db, ask }: IdentityDeps): void {
  app.get(
    "/user/:id",
    allow(["user"]),
    query(userQuery),
    answers(user),
    async function getUser(c) {
      const principal = c.get("principal");
      const id = pathId(c.req.param("id"));
      const row = found(await userById(db, id), "user", id);
      const allowed = isSelf(principal, id) ||
        mayOrganization(principal, "user:VIEW", row.organization_id);
      demand(allowed, `view user ${id}`);
      if (!c.req.valid("query").include_permissions) return c.json(showUser(row));
      return c.json({ ...showUser(row), permissions: await permissionsOf(row) });
    },
  );

  async function permissionsOf({ id, organization_id }: UserRow): Promise<User["permissions"]> {
    const memberships = await ask("collaboration", "memberships", { organization_id });
    return {
      roles: await roleIdsOfUser(db, id),
      rules: await effectiveRuleIdsOfUser(db, id),
      orgs_in_collabs: [...new Set(memberships.flatMap((one) => one.organization_ids))],
    };
  }
}
