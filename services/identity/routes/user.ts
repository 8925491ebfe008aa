import { Hono } from "hono";
import { z } from "zod";
import {
  dateText,
  id,
  ids,
  nullAsAbsent,
  queryBoolean,
  queryDate,
  queryId,
  text,
} from "../../../shared/contract/fields.ts";
import { listLink, referTo } from "../../../shared/contract/references.ts";
import { pageAnswer, pageQuery, pageWindow, parseSort } from "../../../shared/contract/paging.ts";
import { type Fragment, type Tx, uniqueViolation } from "../../../shared/storage/db.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { allow } from "../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { body, found, pathId, query } from "../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../shared/storage/idempotency.ts";
import {
  demand,
  holdsAtLeast,
  mayCollaboration,
  mayOrganization,
  type Principal,
  reachableOrganizations,
  widestScope,
} from "../../../shared/contract/permissions.ts";
import type { IdentityDeps } from "../deps.ts";
import { worksElsewhere } from "../rights/other_collaborations.ts";
import { hashPassword } from "../accounts/passwords.ts";
import { changedIds, requireHoldsAll, rulesToGive } from "../rules.ts";
import { organizationById } from "../store/organization.ts";
import { roleById, type RoleRow, rolesByIds } from "../store/role.ts";
import {
  effectiveRules,
  ruleById,
  ruleNamesByIds,
  ruleNamesOfRoles,
  ruleNamesOfUser,
  rulesByIds,
} from "../store/rule.ts";
import {
  deleteUser,
  insertUser,
  lockUser,
  roleIdsOfUser,
  ruleIdsOfUser,
  setRolesOfUser,
  setRulesOfUser,
  updateUser,
  userById,
  userPage,
  type UserRow,
} from "../store/user.ts";
import { deleteResetTokens } from "../store/account.ts";
import { deleteRefreshTokens } from "../store/session.ts";
import { newPassword } from "./password.ts";

const personName = text.pipe(z.string().max(128));

export const username = text.pipe(
  z.string().min(3).max(128).regex(
    /^[a-zA-Z][a-zA-Z0-9._-]+$/,
    "must begin with a letter and hold only letters, digits, dots, dashes and underscores",
  ),
);

const emailAddress = text.pipe(z.email("must be an e-mail address").max(254));

const newUser = z.object({
  username,
  password: newPassword,
  email: emailAddress,
  firstname: personName,
  lastname: personName,
  organization_id: nullAsAbsent(id),
  roles: nullAsAbsent(ids),
  rules: nullAsAbsent(ids),
});

const changes = z.object({
  username: nullAsAbsent(username),
  firstname: nullAsAbsent(personName),
  lastname: nullAsAbsent(personName),
  email: nullAsAbsent(emailAddress),
  roles: nullAsAbsent(ids),
  rules: nullAsAbsent(ids),
  password: z.null("is changed by PATCH /password/change only").optional(),
});

const deletion = z.object({ delete_dependents: queryBoolean.default(false) });

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
    organization: referTo("organization", row.organization_id),
  };
}

function isSelf(principal: Principal, userId: number): boolean {
  return principal.kind === "user" && principal.id === userId;
}

export function userRoutes({ db, outbox, ask }: IdentityDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get("/user", allow(["user"]), query(listQuery), async function listUsers(c) {
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

  routes.post(
    "/user",
    allow(["user"], "user:CREATE"),
    body(newUser),
    idempotent(db),
    async function createUser(c) {
      const principal = c.get("principal");
      const given = c.req.valid("json");
      const organizationId = given.organization_id ?? principal.organization_id;
      found(await organizationById(db, organizationId), "organization", organizationId);
      demand(
        mayOrganization(principal, "user:CREATE", organizationId),
        `create a user in organization ${organizationId}`,
      );
      const grants = { roles: given.roles ?? [], rules: given.rules ?? [] };
      requireOwnRoles(await rolesByIds(db, grants.roles), organizationId);
      const rulesGiven = [
        ...await ruleNamesOfRoles(db, grants.roles),
        ...await ruleNamesByIds(db, grants.rules),
      ];
      const elsewhere = await worksElsewhere(ask, principal, organizationId);
      requireHoldsAll(principal, rulesToGive(rulesGiven, elsewhere));
      const values = {
        username: given.username,
        password_hash: await hashPassword(given.password),
        firstname: given.firstname,
        lastname: given.lastname,
        email: given.email,
        organization_id: organizationId,
      };
      try {
        return await once(c, outbox, async ({ tx, emit }) => {
          const row = await insertUser(tx, values, grants);
          emit("user.changed", { user_id: row.id, organization_id: organizationId });
          return c.json(showUser(row), 201);
        });
      } catch (error) {
        throw asDuplicate(error);
      }
    },
  );

  routes.get("/user/:id", allow(["user"]), async function getUser(c) {
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

  /** Throws unless the caller may turn the present roles and rules of a user into the wanted ones. */
  async function checkGrants(
    tx: Tx,
    principal: Principal,
    user: UserRow,
    wanted: { roles: number[] | undefined; rules: number[] | undefined },
    elsewhere: boolean,
  ): Promise<void> {
    const { roles = [], rules = [] } = wanted;
    const known = { roles: await rolesByIds(tx, roles), rules: await rulesByIds(tx, rules) };
    for (const [noun, given] of [["role", roles], ["rule", rules]] as const) {
      const missing = given.find((id) => !known[`${noun}s`].some((row) => row.id === id));
      if (missing !== undefined) throw unknown(noun, missing);
    }
    requireOwnRoles(known.roles, user.organization_id);
    const before = {
      roles: await roleIdsOfUser(tx, user.id),
      rules: await ruleIdsOfUser(tx, user.id),
    };
    requireHoldsAll(principal, [
      ...await ruleNamesOfRoles(tx, wanted.roles ? changedIds(before.roles, roles) : []),
      ...await ruleNamesByIds(tx, wanted.rules ? changedIds(before.rules, rules) : []),
    ]);
    const added = [
      ...await ruleNamesOfRoles(tx, roles.filter((id) => !before.roles.includes(id))),
      ...await ruleNamesByIds(tx, rules.filter((id) => !before.rules.includes(id))),
    ];
    requireHoldsAll(principal, rulesToGive(added, elsewhere));
  }

  routes.patch(
    "/user/:id",
    allow(["user"], "user:EDIT"),
    body(changes),
    async function changeUser(c) {
      const principal = c.get("principal");
      const userId = pathId(c.req.param("id"));
      const before = found(await userById(db, userId), "user", userId);
      const self = isSelf(principal, userId);
      const allowed = (self && principal.rules.includes("user:EDIT:OWN")) ||
        mayOrganization(principal, "user:EDIT", before.organization_id);
      demand(allowed, `edit user ${userId}`);
      const { username, firstname, lastname, email, roles, rules } = c.req.valid("json");
      if (!self && username !== undefined && username !== before.username) {
        throw new SextantError("invalid_request", "Only users themselves may change a user name.");
      }
      if (self && (roles || rules)) {
        throw new SextantError("forbidden", "You cannot change your own roles and rules.");
      }
      const newAddress = email !== undefined && email !== before.email;
      const elsewhere = (newAddress || roles !== undefined || rules !== undefined) &&
        await worksElsewhere(ask, principal, before.organization_id);
      try {
        const row = await outbox.change(async ({ tx, emit }) => {
          // What is decided on here must not be changed by another request meanwhile.
          found(await lockUser(tx, userId), "user", userId);
          if (roles || rules) await checkGrants(tx, principal, before, { roles, rules }, elsewhere);
          const held = await ruleNamesOfUser(tx, userId);
          // Whoever reads the mail can recover the account: an address set by somebody with fewer rights is not trusted.
          const recoverable = self ||
            rulesToGive(held, elsewhere).every((rule) => holdsAtLeast(principal, rule));
          const row = await updateUser(tx, userId, {
            username,
            firstname,
            lastname,
            email,
            ...(newAddress ? { recoverable } : {}),
          });
          if (newAddress) await deleteResetTokens(tx, userId);
          if (roles) await setRolesOfUser(tx, userId, roles);
          if (rules) await setRulesOfUser(tx, userId, rules);
          const after = await ruleNamesOfUser(tx, userId);
          if (held.some((rule) => !after.includes(rule))) {
            await deleteRefreshTokens(tx, "user", [userId]);
          }
          emit("user.changed", { user_id: userId, organization_id: row.organization_id });
          return row;
        });
        return c.json(showUser(row));
      } catch (error) {
        throw asDuplicate(error);
      }
    },
  );

  routes.delete(
    "/user/:id",
    allow(["user"], "user:DELETE"),
    query(deletion),
    async function removeUser(c) {
      const principal = c.get("principal");
      const userId = pathId(c.req.param("id"));
      const { organization_id } = found(await userById(db, userId), "user", userId);
      const allowed = (isSelf(principal, userId) && principal.rules.includes("user:DELETE:OWN")) ||
        mayOrganization(principal, "user:DELETE", organization_id);
      demand(allowed, `delete user ${userId}`);
      if (!c.req.valid("query").delete_dependents) {
        const { tasks } = await ask("task", "count", { user_id: userId });
        if (tasks > 0) {
          throw new SextantError(
            "invalid_request",
            `User ${userId} has created ${tasks} tasks. Set delete_dependents to delete them too.`,
          );
        }
      }
      await outbox.change(async ({ tx, emit }) => {
        await deleteRefreshTokens(tx, "user", [userId]);
        await deleteUser(tx, userId);
        emit("user.deleted", { user_id: userId, organization_id });
      });
      return c.json({ msg: `User ${userId} is deleted.` });
    },
  );

  return routes;
}

/** A role of one organization is for its own users. */
function requireOwnRoles(roles: RoleRow[], organizationId: number): void {
  for (const { id, organization_id } of roles) {
    if (organization_id !== null && organization_id !== organizationId) {
      throw new SextantError("forbidden", `Role ${id} belongs to another organization.`);
    }
  }
}

function unknown(noun: string, id: number): SextantError {
  return new SextantError("not_found", `There is no ${noun} ${id}.`);
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
