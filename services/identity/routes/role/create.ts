import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand, mayOrganization } from "../../../../shared/contract/permissions.ts";
import { newRole, role } from "../../../../shared/contract/role.ts";
import { body, found } from "../../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../../shared/storage/idempotency.ts";
import * as changes from "../../changes/role.ts";
import type { IdentityDeps } from "../../deps.ts";
import { requireHoldsAll } from "../../rules.ts";
import { showRole } from "../../show.ts";
import { organizationById } from "../../store/organization.ts";
import { ruleNamesByIds } from "../../store/rule.ts";
import { requireOwnName, requireRules } from "./require.ts";

export function createRole(app: Hono<AppEnv>, { db, outbox }: IdentityDeps): void {
  app.post(
    "/role",
    allow(["user"], "role:CREATE"),
    body(newRole),
    answers(role, {
      status: 201,
      does: "Of the caller's organization, unless another is named. Nobody can give rules that " +
        "they do not hold themselves.",
    }),
    idempotent(db),
    async function createRole(c) {
      const principal = c.get("principal");
      const { name, description, rules, ...given } = c.req.valid("json");
      requireOwnName(name);
      const organization_id = given.organization_id ?? principal.organization_id;
      found(await organizationById(db, organization_id), "organization", organization_id);
      demand(
        mayOrganization(principal, "role:CREATE", organization_id),
        `create a role in organization ${organization_id}`,
      );
      await requireRules(db, rules);
      requireHoldsAll(principal, await ruleNamesByIds(db, rules));
      const values = { name, description, organization_id, rules };
      return await once(c, outbox, async (change) => {
        return c.json(showRole(await changes.createRole(change, values)), 201);
      });
    },
  );
}
