import { Hono } from "hono";
import {
  listLink,
  pageAnswer,
  pageQuery,
  pageWindow,
  parseSort,
  queryBoolean,
  queryId,
  reference,
  repeatable,
  text,
} from "../../../shared/contract.ts";
import type { Fragment } from "../../../shared/db.ts";
import { allow, type AppEnv, found, pathId, query } from "../../../shared/http.ts";
import {
  demand,
  mayCollaboration,
  mayOrganization,
  reachableOrganizations,
  widestScope,
} from "../../../shared/policy.ts";
import type { IdentityDeps } from "../app.ts";
import { roleById, rolePage, type RoleRow, ruleById, userById, userHasRole } from "../store.ts";
import { unknownInFilter } from "./user.ts";

const listQuery = pageQuery.extend({
  name: repeatable(text).optional(),
  description: repeatable(text).optional(),
  organization_id: repeatable(queryId).optional(),
  collaboration_id: queryId.optional(),
  rule_id: queryId.optional(),
  user_id: queryId.optional(),
  include_root: queryBoolean.optional(),
});

const SORTABLE = ["id", "name", "description", "is_default_role"];

/** The contract's Role (§3.6). */
export function showRole(row: RoleRow) {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    is_default_role: row.is_default_role,
    rules: listLink("rule", "role_id", row.id),
    users: listLink("user", "role_id", row.id),
    organization: reference("organization", row.organization_id),
  };
}

export function roleRoutes({ db, ask }: IdentityDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get("/role", allow("user"), query(listQuery), async function listRoles(c) {
    const principal = c.get("principal");
    const wanted = c.req.valid("query");
    const own = db`id in (select role_id from user_role where user_id = ${principal.id})`;
    const scope = widestScope(principal, "role:VIEW");
    const where: Fragment[] = [];
    if (scope === undefined || scope === "OWN") {
      where.push(own);
    } else if (scope !== "GLOBAL") {
      const organizations = scope === "COLLABORATION"
        ? reachableOrganizations(principal)
        : [principal.organization_id];
      where.push(
        db`(organization_id is null or organization_id = any(${organizations}) or ${own})`,
      );
    }
    for (const column of ["name", "description"] as const) {
      const patterns = wanted[column];
      if (!patterns) continue;
      const either = patterns.map((pattern) => db`${db(column)} like ${pattern} escape ''`)
        .reduce((left, right) => db`${left} or ${right}`);
      where.push(db`(${either})`);
    }
    const global = wanted.include_root ? db`organization_id is null` : db`false`;
    if (wanted.organization_id) {
      for (const organizationId of wanted.organization_id) {
        const allowed = mayOrganization(principal, "role:VIEW", organizationId);
        demand(allowed, `view the roles of organization ${organizationId}`);
      }
      where.push(db`(organization_id = any(${wanted.organization_id}) or ${global})`);
    }
    if (wanted.collaboration_id !== undefined) {
      const collaboration_id = wanted.collaboration_id;
      const allowed = mayCollaboration(principal, "role:VIEW", collaboration_id);
      demand(allowed, `view the roles of collaboration ${collaboration_id}`);
      const { collaboration } = await ask("collaboration", "scope", { collaboration_id });
      found(collaboration ?? undefined, "collaboration", collaboration_id);
      where.push(
        db`(organization_id = any(${collaboration!.organization_ids}) or ${global})`,
      );
    }
    if (wanted.rule_id !== undefined) {
      if (!await ruleById(db, wanted.rule_id)) throw unknownInFilter("rule", wanted.rule_id);
      where.push(db`id in (select role_id from role_rule where rule_id = ${wanted.rule_id})`);
    }
    if (wanted.user_id !== undefined) {
      const user = await userById(db, wanted.user_id);
      if (!user) throw unknownInFilter("user", wanted.user_id);
      const allowed = user.id === principal.id ||
        mayOrganization(principal, "role:VIEW", user.organization_id);
      demand(allowed, `view the roles of user ${user.id}`);
      where.push(db`id in (select role_id from user_role where user_id = ${user.id})`);
    }
    const { rows, total } = await rolePage(db, {
      where,
      order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
      window: pageWindow(wanted),
    });
    return pageAnswer(c, rows.map(showRole), total, wanted);
  });

  routes.get("/role/:id", allow("user"), async function getRole(c) {
    const principal = c.get("principal");
    const roleId = pathId(c.req.param("id"));
    const row = found(await roleById(db, roleId), "role", roleId);
    const allowed = mayOrganization(principal, "role:VIEW", row.organization_id) ||
      (row.is_default_role && widestScope(principal, "role:VIEW") !== undefined) ||
      await userHasRole(db, principal.id, roleId);
    demand(allowed, `view role ${roleId}`);
    return c.json(showRole(row));
  });

  return routes;
}
