import type { Hono } from "hono";
import { z } from "zod";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { rule } from "../../../../shared/contract/rule.ts";
import { found, pathId } from "../../../../shared/contract/validate.ts";
import type { IdentityDeps } from "../../deps.ts";
import { showRule } from "../../show.ts";
import { ruleById, rulesOfRole } from "../../store/rule.ts";
import { changeRules } from "./change_rules.ts";
import { requireChangeable } from "./require.ts";

export function addRoleRule(app: Hono<AppEnv>, deps: IdentityDeps): void {
  const { db } = deps;
  app.post(
    "/role/:id/rule/:rule_id",
    allow(["user"], "role:EDIT"),
    answers(z.array(rule), { status: 201, does: "Answers all rules of the role." }),
    async function addRoleRule(c) {
      const principal = c.get("principal");
      const ruleId = pathId(c.req.param("rule_id"));
      const role = await requireChangeable(db, {
        principal,
        id: c.req.param("id"),
        permission: "role:EDIT",
      });
      found(await ruleById(db, ruleId), "rule", ruleId);
      await changeRules(deps, {
        principal,
        role,
        decide: (before) => [...new Set([...before, ruleId])],
      });
      return c.json((await rulesOfRole(db, role.id)).map(showRule), 201);
    },
  );
}
