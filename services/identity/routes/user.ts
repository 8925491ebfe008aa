import { Hono } from "hono";
import { z } from "zod";
import {
  dateText,
  id,
  ids,
  listLink,
  nullAsAbsent,
  pageAnswer,
  pageQuery,
  pageWindow,
  parseSort,
  queryDate,
  queryId,
  reference,
  text,
} from "../../../shared/contract.ts";
import { type Fragment, uniqueViolation } from "../../../shared/db.ts";
import { SextantError } from "../../../shared/errors.ts";
import { allow, type AppEnv, body, found, pathId, query } from "../../../shared/http.ts";
import {
  demand,
  mayCollaboration,
  mayOrganization,
  type Principal,
  reachableOrganizations,
  widestScope,
} from "../../../shared/policy.ts";
import type { IdentityDeps } from "../app.ts";
import { hashPassword } from "../passwords.ts";
import { passwordProblems, requireHoldsAll } from "../rules.ts";
import {
  effectiveRules,
  insertUser,
  organizationById,
  roleById,
  rolesByIds,
  ruleById,
  ruleNamesByIds,
  ruleNamesOfRoles,
  userById,
  userPage,
  type UserRow,
} from "../store.ts";

/** A new password under the policy of contract §2.8; every shortcoming is named. */
export const newPassword = text.superRefine((value, context) => {
  for (const message of passwordProblems(value)) context.addIssue({ code: "custom", message });
});

const personName = text.pipe(z.string().max(128));

export const username = text.pipe(
  z.string().min(3).max(128).regex(
    /^[a-zA-Z][a-zA-Z0-9._-]+$/,
    "must begin with a letter and hold only letters, digits, dots, dashes and underscores",
  ),
);

const newUser = z.object({
  username,
  password: newPassword,
  email: text.pipe(z.email("must be an e-mail address").max(254)),
  firstname: personName,
  lastname: personName,
  organization_id: nullAsAbsent(id),
  roles: nullAsAbsent(ids),
  rules: nullAsAbsent(ids),
});

const listQuery = pageQuery.extend({
  username: text.optional(),
  firstname: text.optional(),
  lastname: text.optional(),
  email: text.optional(),
  organization_id: queryId.optional(),
  collaboration_id: queryId.optional(),
  role_id: queryId.optional(),
  rule_id: queryId.optional(),
  last_seen_from: queryDate.optional(),
  last_seen_till: queryDate.optional(),
});

const SORTABLE = ["id", "username", "firstname", "lastname", "email", "last_seen"];

/** The contract's User (§3.5). The second-factor secret is never shown. */
export function showUser(row: UserRow) {
  return {
    id: row.id,
    type: "user",
    username: row.username,
    firstname: row.firstname,
    lastname: row.lastname,
    email: row.email,
    ip: null,
    last_seen: dateText(row.last_seen),
    status: null,
    otp_secret: null,
    last_email_failed_login_sent: dateText(row.last_email_failed_login_sent),
    last_email_recover_password_sent: dateText(row.last_email_recover_password_sent),
    roles: listLink("role", "user_id", row.id),
    rules: listLink("rule", "user_id", row.id),
    organization: reference("organization", row.organization_id),
  };
}

function isSelf(principal: Principal, userId: number): boolean {
  return principal.kind === "user" && principal.id === userId;
}

export function userRoutes({ db, outbox, ask }: IdentityDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get("/user", allow("user"), query(listQuery), async function listUsers(c) {
    const principal = c.get("principal");
    const wanted = c.req.valid("query");
    const where: Fragment[] = [];
    const scope = widestScope(principal, "user:VIEW");
    if (scope === undefined) {
      const self = principal.kind === "user" && wanted.username === principal.username;
      demand(self, "view any user but yourself");
      where.push(db`id = ${principal.id}`);
    } else if (scope === "COLLABORATION") {
      where.push(db`organization_id = any(${reachableOrganizations(principal)})`);
    } else if (scope !== "GLOBAL") {
      where.push(db`organization_id = ${principal.organization_id}`);
    }
    for (const column of ["username", "firstname", "lastname", "email"] as const) {
      const pattern = wanted[column];
      if (pattern !== undefined) where.push(db`${db(column)} like ${pattern} escape ''`);
    }
    if (wanted.organization_id !== undefined) {
      const allowed = mayOrganization(principal, "user:VIEW", wanted.organization_id);
      demand(allowed, "view the users of that organization");
      where.push(db`organization_id = ${wanted.organization_id}`);
    }
    if (wanted.collaboration_id !== undefined) {
      const collaboration_id = wanted.collaboration_id;
      const allowed = mayCollaboration(principal, "user:VIEW", collaboration_id);
      demand(allowed, "view the users of that collaboration");
      const { collaboration } = await ask("collaboration", "scope", { collaboration_id });
      where.push(db`organization_id = any(${collaboration?.organization_ids ?? []})`);
    }
    if (wanted.role_id !== undefined) {
      if (!await roleById(db, wanted.role_id)) throw unknownInFilter("role", wanted.role_id);
      where.push(db`id in (select user_id from user_role where role_id = ${wanted.role_id})`);
    }
    if (wanted.rule_id !== undefined) {
      if (!await ruleById(db, wanted.rule_id)) throw unknownInFilter("rule", wanted.rule_id);
      where.push(db`id in (select user_id from user_rule where rule_id = ${wanted.rule_id})`);
    }
    if (wanted.last_seen_from) where.push(db`last_seen >= ${wanted.last_seen_from}`);
    if (wanted.last_seen_till) where.push(db`last_seen <= ${wanted.last_seen_till}`);
    const { rows, total } = await userPage(db, {
      where,
      order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
      window: pageWindow(wanted),
    });
    return pageAnswer(c, rows.map(showUser), total, wanted);
  });

  routes.post("/user", allow("user", "user:CREATE"), body(newUser), async function createUser(c) {
    const principal = c.get("principal");
    const given = c.req.valid("json");
    const organizationId = given.organization_id ?? principal.organization_id;
    found(await organizationById(db, organizationId), "organization", organizationId);
    demand(
      mayOrganization(principal, "user:CREATE", organizationId),
      `create a user in organization ${organizationId}`,
    );
    const grants = { roles: given.roles ?? [], rules: given.rules ?? [] };
    for (const role of await rolesByIds(db, grants.roles)) {
      if (role.organization_id !== null && role.organization_id !== organizationId) {
        throw new SextantError("forbidden", `Role ${role.id} belongs to another organization.`);
      }
    }
    requireHoldsAll(principal, [
      ...await ruleNamesOfRoles(db, grants.roles),
      ...await ruleNamesByIds(db, grants.rules),
    ]);
    const values = {
      username: given.username,
      password_hash: await hashPassword(given.password),
      firstname: given.firstname,
      lastname: given.lastname,
      email: given.email,
      organization_id: organizationId,
    };
    try {
      const row = await outbox.change(async ({ tx, emit }) => {
        const row = await insertUser(tx, values, grants);
        emit("user.changed", { user_id: row.id, organization_id: organizationId });
        return row;
      });
      return c.json(showUser(row), 201);
    } catch (error) {
      throw asDuplicate(error);
    }
  });

  routes.get("/user/:id", allow("user"), async function getUser(c) {
    const principal = c.get("principal");
    const userId = pathId(c.req.param("id"));
    const row = found(await userById(db, userId), "user", userId);
    const allowed = isSelf(principal, userId) ||
      mayOrganization(principal, "user:VIEW", row.organization_id);
    demand(allowed, `view user ${userId}`);
    if (!c.req.query("include_permissions")) return c.json(showUser(row));
    const roles = await db<{ role_id: number }[]>`
      select role_id from user_role where user_id = ${userId} order by role_id`;
    const rules = await db<{ rule_id: number }[]>`
      ${effectiveRules(db, userId)} order by rule_id`;
    const memberships = await ask("collaboration", "memberships", {
      organization_id: row.organization_id,
    });
    return c.json({
      ...showUser(row),
      permissions: {
        roles: roles.map((one) => one.role_id),
        rules: rules.map((one) => one.rule_id),
        orgs_in_collabs: [...new Set(memberships.flatMap((one) => one.organization_ids))],
      },
    });
  });

  return routes;
}

/** A filter that names something that does not exist is a bad request (contract §1.5). */
export function unknownInFilter(noun: string, id: number): SextantError {
  return new SextantError(
    "invalid_request",
    `The filter names a ${noun} that does not exist: ${id}.`,
  );
}

/** Makes the answer of a duplicate user name or address out of what the database says; passes on the rest. */
function asDuplicate(error: unknown): unknown {
  const constraint = uniqueViolation(error);
  if (constraint === "user_username_unique") {
    return new SextantError("conflict", "A user with this user name exists already.");
  }
  if (constraint === "user_email_unique") {
    return new SextantError("conflict", "A user with this e-mail address exists already.");
  }
  return error;
}
