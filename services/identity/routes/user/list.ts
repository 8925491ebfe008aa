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
import { user, userList } from "../../../../shared/contract/user.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { Db, Fragment } from "../../../../shared/storage/db.ts";
import type { IdentityDeps } from "../../deps.ts";
import { showUser } from "../../show.ts";
import { roleById } from "../../store/role.ts";
import { ruleById } from "../../store/rule.ts";
import { userRows } from "../../store/user.ts";
import { unknownInFilter } from "../unknown_in_filter.ts";

const SORTABLE = ["id", "username", "firstname", "lastname", "email", "last_seen"];

type Wanted = z.output<typeof userList>;

export function listUsers(app: Hono<AppEnv>, { db, ask }: IdentityDeps): void {
  app.get(
    "/user",
    allow(["user"]),
    query(userList),
    answers(pageOf(user), {
      does:
        "Those that the caller may see; without a rule user:VIEW only oneself, asked for by name.",
    }),
    async function listUsers(c) {
      const principal = c.get("principal");
      const wanted = c.req.valid("query");
      const where = inReach(db, principal, wanted);
      where.push(...matching(principal, wanted));
      where.push(...await ofCollaboration(principal, wanted));
      where.push(...await withGrants(wanted));
      return await listAnswer(c, {
        wanted,
        source: userRows(db),
        request: {
          where,
          order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        },
        show: (rows) => rows.map(showUser),
      });
    },
  );

  function matching(principal: Principal, wanted: Wanted): Fragment[] {
    const where: Fragment[] = [];
    for (const column of ["username", "firstname", "lastname", "email"] as const) {
      const pattern = wanted[column];
      if (pattern !== undefined) where.push(db`${db(column)} like ${pattern} escape ''`);
    }
    if (wanted.last_seen_from) where.push(db`last_seen >= ${wanted.last_seen_from}`);
    if (wanted.last_seen_till) where.push(db`last_seen <= ${wanted.last_seen_till}`);
    if (wanted.organization_id === undefined) return where;
    const allowed = mayOrganization(principal, "user:VIEW", wanted.organization_id);
    demand(allowed, "view the users of that organization");
    return [...where, db`organization_id = ${wanted.organization_id}`];
  }

  async function ofCollaboration(
    principal: Principal,
    { collaboration_id }: Wanted,
  ): Promise<Fragment[]> {
    if (collaboration_id === undefined) return [];
    const allowed = mayCollaboration(principal, "user:VIEW", collaboration_id);
    demand(allowed, "view the users of that collaboration");
    const { collaboration } = await ask("collaboration", "scope", { collaboration_id });
    return [db`organization_id = any(${collaboration?.organization_ids ?? []})`];
  }

  async function withGrants({ role_id, rule_id }: Wanted): Promise<Fragment[]> {
    const where: Fragment[] = [];
    if (role_id !== undefined) {
      if (!await roleById(db, role_id)) throw unknownInFilter("role", role_id);
      where.push(db`id in (select user_id from user_role where role_id = ${role_id})`);
    }
    if (rule_id !== undefined) {
      if (!await ruleById(db, rule_id)) throw unknownInFilter("rule", rule_id);
      where.push(db`id in (select user_id from user_rule where rule_id = ${rule_id})`);
    }
    return where;
  }
}

/** The users that the caller may see at all. */
function inReach(db: Db, principal: Principal, { username }: Wanted): Fragment[] {
  const scope = widestScope(principal, "user:VIEW");
  if (scope === "GLOBAL") return [];
  if (scope === "COLLABORATION") {
    return [db`organization_id = any(${reachableOrganizations(principal)})`];
  }
  if (scope !== undefined) return [db`organization_id = ${principal.organization_id}`];
  const self = principal.kind === "user" && username === principal.username;
  demand(self, "view any user but yourself");
  return [db`id = ${principal.id}`];
}
