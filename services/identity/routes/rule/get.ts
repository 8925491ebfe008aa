import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { rule } from "../../../../shared/contract/rule.ts";
import { found, pathId } from "../../../../shared/contract/validate.ts";
import type { IdentityDeps } from "../../deps.ts";
import { showRule } from "../../show.ts";
import { ruleById } from "../../store/rule.ts";

export function getRule(app: Hono<AppEnv>, { db }: IdentityDeps): void {
  app.get("/rule/:id", allow(["user"]), answers(rule), async function getRule(c) {
    const id = pathId(c.req.param("id"));
    return c.json(showRule(found(await ruleById(db, id), "rule", id)));
  });
}
