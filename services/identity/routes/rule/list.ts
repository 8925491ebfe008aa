import type { Hono } from "hono";
import type { z } from "zod";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { listAnswer, pageOf, parseSort } from "../../../../shared/contract/paging.ts";
import {
  demand,
  OPERATIONS,
  type Principal,
  SCOPES,
} from "../../../../shared/contract/permissions.ts";
import { rule, ruleList } from "../../../../shared/contract/rule.ts";
import { query } from "../../../../shared/contract/validate.ts";
import type { Fragment } from "../../../../shared/storage/db.ts";
import type { IdentityDeps } from "../../deps.ts";
import { mayViewGrants, mayViewRole } from "../../rules.ts";
import { showRule } from "../../show.ts";
import { roleById, userHasRole } from "../../store/role.ts";
import { effectiveRules, ruleRows } from "../../store/rule.ts";
import { userById } from "../../store/user.ts";
import { unknownInFilter } from "../unknown_in_filter.ts";

const SORTABLE = ["id", "name", "operation", "scope", "description"];

type Wanted = z.output<typeof ruleList>;

export function listRules(app: Hono<AppEnv>, { db }: IdentityDeps): void {
  app.get(
    "/rule",
    allow(["user"]),
    query(ruleList),
    answers(pageOf(rule), {
      does: "All rules there are, or those of a role, or all that a user holds. `operation` and " +
        "`scope` may be shortened (`v`, `glo`); `no_pagination=1` leaves out the paging.",
    }),
    async function listRules(c) {
      const wanted = c.req.valid("query");
      const paging = wanted.no_pagination === "1"
        ? { page: undefined, per_page: undefined, sort: wanted.sort }
        : wanted;
      return await listAnswer(c, {
        wanted: paging,
        source: ruleRows(db),
        request: {
          where: [...matching(wanted), ...await heldBy(c.get("principal"), wanted)],
          order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
        },
        show: (rows) => rows.map(showRule),
      });
    },
  );

  function matching({ name, operation, scope }: Wanted): Fragment[] {
    const where: Fragment[] = [];
    if (name !== undefined) where.push(db`name = ${name}`);
    if (operation !== undefined) {
      where.push(db`operation = ${fullWord(operation, OPERATIONS, 1)}`);
    }
    if (scope !== undefined) where.push(db`scope = ${fullWord(scope, SCOPES, 3)}`);
    return where;
  }

  async function heldBy(principal: Principal, { role_id, user_id }: Wanted): Promise<Fragment[]> {
    const where: Fragment[] = [];
    if (role_id !== undefined) {
      const role = await roleById(db, role_id);
      if (!role) throw unknownInFilter("role", role_id);
      const isOwn = await userHasRole(db, principal.id, role.id);
      demand(mayViewRole(principal, role, isOwn), `view role ${role.id}`);
      where.push(db`id in (select rule_id from role_rule where role_id = ${role_id})`);
    }
    if (user_id !== undefined) {
      const user = await userById(db, user_id);
      if (!user) throw unknownInFilter("user", user_id);
      demand(mayViewGrants(principal, user), `view the rules of user ${user.id}`);
      where.push(db`id in (${effectiveRules(db, user_id)})`);
    }
    return where;
  }
}

/** `VIEW`, `view` and the stored short form `v` or `glo` all mean the same word. */
function fullWord(given: string, words: readonly string[], shortLength: number): string {
  const upper = given.toUpperCase();
  return words.find((word) => word === upper || word.slice(0, shortLength) === upper) ?? upper;
}
