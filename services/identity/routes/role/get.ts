import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand } from "../../../../shared/contract/permissions.ts";
import { role } from "../../../../shared/contract/role.ts";
import { found, pathId } from "../../../../shared/contract/validate.ts";
import type { IdentityDeps } from "../../deps.ts";
import { mayViewRole } from "../../rules.ts";
import { showRole } from "../../show.ts";
import { roleById, userHasRole } from "../../store/role.ts";

export function getRole(app: Hono<AppEnv>, { db }: IdentityDeps): void {
  app.get("/role/:id", allow(["user"]), answers(role), async function getRole(c) {
    const principal = c.get("principal");
    const id = pathId(c.req.param("id"));
    const row = found(await roleById(db, id), "role", id);
    const isOwn = await userHasRole(db, principal.id, id);
    demand(mayViewRole(principal, row, isOwn), `view role ${id}`);
    return c.json(showRole(row));
  });
}
