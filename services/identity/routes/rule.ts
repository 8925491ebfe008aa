import { Hono } from "hono";
import { listLink } from "../../../shared/contract/references.ts";
import { pageAnswer, pageQuery, pageWindow, parseSort } from "../../../shared/contract/paging.ts";
import { queryId, text } from "../../../shared/contract/fields.ts";
import type { Fragment } from "../../../shared/storage/db.ts";
import { allow } from "../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { found, pathId, query } from "../../../shared/contract/validate.ts";
import { demand, OPERATIONS, SCOPES } from "../../../shared/contract/permissions.ts";
import type { IdentityDeps } from "../deps.ts";
import { mayViewGrants, mayViewRole } from "../rules.ts";
import { roleById, userHasRole } from "../store/role.ts";
import { effectiveRules, ruleById, rulePage, type RuleRow } from "../store/rule.ts";
import { userById } from "../store/user.ts";
import { unknownInFilter } from "./user.ts";

const listQuery = pageQuery.extend({
  name: text.optional(),
  operation: text.optional(),
  scope: text.optional(),
  role_id: queryId.optional(),
  user_id: queryId.optional(),
  no_pagination: text.optional(),
});

const SORTABLE = ["id", "name", "operation", "scope", "description"];

/** The contract's Rule (§3.6). */
export function showRule(row: RuleRow) {
  return {
    id: row.id,
    name: row.name,
    operation: row.operation,
    scope: row.scope,
    description: row.description,
    users: listLink("user", "rule_id", row.id),
  };
}

/** `VIEW`, `view` and the stored short form `v` or `glo` all mean the same word. */
function fullWord(given: string, words: readonly string[], shortLength: number): string {
  const upper = given.toUpperCase();
  return words.find((word) => word === upper || word.slice(0, shortLength) === upper) ?? upper;
}

export function ruleRoutes({ db }: IdentityDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get("/rule", allow(["user"]), query(listQuery), async function listRules(c) {
    const principal = c.get("principal");
    const wanted = c.req.valid("query");
    const where: Fragment[] = [];
    if (wanted.name !== undefined) where.push(db`name = ${wanted.name}`);
    if (wanted.operation !== undefined) {
      where.push(db`operation = ${fullWord(wanted.operation, OPERATIONS, 1)}`);
    }
    if (wanted.scope !== undefined) {
      where.push(db`scope = ${fullWord(wanted.scope, SCOPES, 3)}`);
    }
    if (wanted.role_id !== undefined) {
      const role = await roleById(db, wanted.role_id);
      if (!role) throw unknownInFilter("role", wanted.role_id);
      const isOwn = await userHasRole(db, principal.id, role.id);
      demand(mayViewRole(principal, role, isOwn), `view role ${role.id}`);
      where.push(db`id in (select rule_id from role_rule where role_id = ${wanted.role_id})`);
    }
    if (wanted.user_id !== undefined) {
      const user = await userById(db, wanted.user_id);
      if (!user) throw unknownInFilter("user", wanted.user_id);
      demand(mayViewGrants(principal, user), `view the rules of user ${user.id}`);
      where.push(db`id in (${effectiveRules(db, wanted.user_id)})`);
    }
    const paging = wanted.no_pagination === "1"
      ? { page: undefined, per_page: undefined, sort: wanted.sort }
      : wanted;
    const { rows, total } = await rulePage(db, {
      where,
      order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
      window: pageWindow(paging),
    });
    return pageAnswer(c, rows.map(showRule), total, paging);
  });

  routes.get("/rule/:id", allow(["user"]), async function getRule(c) {
    const ruleId = pathId(c.req.param("id"));
    return c.json(showRule(found(await ruleById(db, ruleId), "rule", ruleId)));
  });

  return routes;
}
