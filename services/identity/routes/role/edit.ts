import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { role, roleChanges } from "../../../../shared/contract/role.ts";
import { body } from "../../../../shared/contract/validate.ts";
import type { IdentityDeps } from "../../deps.ts";
import { showRole } from "../../show.ts";
import { changeRules } from "./change_rules.ts";
import { requireChangeable, requireOwnName, requireRules } from "./require.ts";

export function editRole(app: Hono<AppEnv>, deps: IdentityDeps): void {
  app.patch(
    "/role/:id",
    allow(["user"], "role:EDIT"),
    body(roleChanges),
    answers(role, { does: "Changes what is given; `rules` replace those there were." }),
    async function editRole(c) {
      const principal = c.get("principal");
      const id = c.req.param("id");
      const before = await requireChangeable(deps.db, { principal, id, permission: "role:EDIT" });
      const { name, description, rules } = c.req.valid("json");
      requireOwnName(name);
      if (rules) await requireRules(deps.db, rules);
      const row = await changeRules(deps, {
        principal,
        role: before,
        decide: (had) => rules ?? had,
        values: { name, description },
      });
      return c.json(showRole(row));
    },
  );
}
