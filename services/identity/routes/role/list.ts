import type { Hono } from "hono";
import type { z } from "zod";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { listAnswer, pageOf, parseSort } from "../../../../shared/contract/paging.ts";
import {
  demand,
  mayCollaboration,
  mayOrganization,
  type Principal,
  reachableOrganizations,
  widestScope,
} from "../../../../shared/contract/permissions.ts";
import { role, roleList } from "../../../../shared/contract/role.ts";
import { found, query } from "../../../../shared/contract/validate.ts";
import type { Db, Fragment } from "../../../../shared/storage/db.ts";
import type { IdentityDeps } from "../../deps.ts";
import { mayViewGrants } from "../../rules.ts";
import { showRole } from "../../show.ts";
import { roleRows } from "../../store/role.ts";
import { ruleById } from "../../store/rule.ts";
import { userById } from "../../store/user.ts";
import { unknownInFilter } from "../unknown_in_filter.ts";

const SORTABLE = ["id", "name", "description", "is_default_role"];

type Wanted = z.output<typeof roleList>;

export function listRoles(app: Hono<AppEnv>, { db, ask }: IdentityDeps): void {
  app.get(
    "/role",
    allow(["user"]),
    query(roleList),
    answers(pageOf(role), { does: "The default roles, and others that the caller may see." }),
    async function listRoles(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      return await listAnswer(c, {
        wanted,
        source: roleRows(db),
        request: {
          where: [
            ...inReach(db, principal),
            ...matching(wanted),
            ...await ofOrganizations(principal, wanted),
            ...await withGrants(principal, wanted),
          ],
          order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        },
        show: (rows) => rows.map(showRole),
      });
    },
  );

  function matching(wanted: Wanted): Fragment[] {
    const where: Fragment[] = [];
    for (const column of ["name", "description"] as const) {
      const patterns = wanted[column];
      if (!patterns) continue;
      // `like any` has no `escape ''`, without which a backslash stands for itself when it is two.
      const plain = patterns.map((pattern) => pattern.replaceAll("\\", "\\\\"));
      where.push(db`${db(column)} like any(${plain}::text[])`);
    }
    return where;
  }

  async function ofOrganizations(principal: Principal, wanted: Wanted): Promise<Fragment[]> {
    const where: Fragment[] = [];
    const orGlobal = wanted.include_root ? db`organization_id is null` : db`false`;
    if (wanted.organization_id) {
      for (const id of wanted.organization_id) {
        const allowed = mayOrganization(principal, "role:VIEW", id);
        demand(allowed, `view the roles of organization ${id}`);
      }
      where.push(db`(organization_id = any(${wanted.organization_id}) or ${orGlobal})`);
    }
    if (wanted.collaboration_id !== undefined) {
      const { collaboration_id } = wanted;
      const allowed = mayCollaboration(principal, "role:VIEW", collaboration_id);
      demand(allowed, `view the roles of collaboration ${collaboration_id}`);
      const scope = await ask("collaboration", "scope", { collaboration_id });
      const { organization_ids } = found(
        scope.collaboration ?? undefined,
        "collaboration",
        collaboration_id,
      );
      where.push(db`(organization_id = any(${organization_ids}) or ${orGlobal})`);
    }
    return where;
  }

  async function withGrants(
    principal: Principal,
    { rule_id, user_id }: Wanted,
  ): Promise<Fragment[]> {
    const where: Fragment[] = [];
    if (rule_id !== undefined) {
      if (!await ruleById(db, rule_id)) throw unknownInFilter("rule", rule_id);
      where.push(db`id in (select role_id from role_rule where rule_id = ${rule_id})`);
    }
    if (user_id !== undefined) {
      const user = await userById(db, user_id);
      if (!user) throw unknownInFilter("user", user_id);
      demand(mayViewGrants(principal, user), `view the roles of user ${user.id}`);
      where.push(db`id in (select role_id from user_role where user_id = ${user.id})`);
    }
    return where;
  }
}

/** The roles that the caller may see at all. */
function inReach(db: Db, principal: Principal): Fragment[] {
  const scope = widestScope(principal, "role:VIEW");
  if (scope === "GLOBAL") return [];
  const own = db`id in (select role_id from user_role where user_id = ${principal.id})`;
  if (scope === undefined || scope === "OWN") return [own];
  const organizations = scope === "COLLABORATION"
    ? reachableOrganizations(principal)
    : [principal.organization_id];
  return [db`(organization_id is null or organization_id = any(${organizations}) or ${own})`];
}
