import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand, mayOrganization } from "../../../../shared/contract/permissions.ts";
import { newUser, user } from "../../../../shared/contract/user.ts";
import { body, found } from "../../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../../shared/storage/idempotency.ts";
import { hashPassword } from "../../accounts/passwords.ts";
import * as changes from "../../changes/user.ts";
import type { IdentityDeps } from "../../deps.ts";
import { worksInOtherCollaborations } from "../../rights/other_collaborations.ts";
import { requireMayGive, requireOwnRoles } from "../../rules.ts";
import { showUser } from "../../show.ts";
import { organizationById } from "../../store/organization.ts";
import { rolesByIds } from "../../store/role.ts";
import { ruleNamesByIds, ruleNamesOfRoles } from "../../store/rule.ts";

export function createUser(app: Hono<AppEnv>, { db, outbox, ask }: IdentityDeps): void {
  app.post(
    "/user",
    allow(["user"], "user:CREATE"),
    body(newUser),
    answers(user, {
      status: 201,
      does: "Of the caller's organization, unless another is named. Nobody can give rights that " +
        "they do not hold themselves.",
    }),
    idempotent(db),
    async function createUser(c) {
      const principal = c.get("principal");
      const given = c.req.valid("json");
      const organization_id = given.organization_id ?? principal.organization_id;
      found(await organizationById(db, organization_id), "organization", organization_id);
      demand(
        mayOrganization(principal, "user:CREATE", organization_id),
        `create a user in organization ${organization_id}`,
      );
      const { roles = [], rules = [] } = given;
      requireOwnRoles(await rolesByIds(db, roles), organization_id);
      const rulesGiven = [
        ...await ruleNamesOfRoles(db, roles),
        ...await ruleNamesByIds(db, rules),
      ];
      const worksInOthers = await worksInOtherCollaborations(ask, principal, organization_id);
      requireMayGive(principal, {
        rules: rulesGiven,
        organizationId: organization_id,
        worksInOthers,
      });
      const values = {
        username: given.username,
        password_hash: await hashPassword(given.password),
        firstname: given.firstname,
        lastname: given.lastname,
        email: given.email,
        organization_id,
        roles,
        rules,
      };
      return await once(c, outbox, async (change) => {
        return c.json(showUser(await changes.createUser(change, values)), 201);
      });
    },
  );
}
