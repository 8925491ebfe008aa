import { Hono } from "hono";
import { z } from "zod";
import {
  id,
  ids,
  nullAsAbsent,
  queryBoolean,
  queryId,
  repeatable,
  text,
} from "../../../shared/contract/fields.ts";
import { listLink, referTo } from "../../../shared/contract/references.ts";
import { pageAnswer, pageQuery, pageWindow, parseSort } from "../../../shared/contract/paging.ts";
import type { Fragment } from "../../../shared/storage/db.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { allow } from "../../../shared/contract/allow.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { body, found, pathId, query } from "../../../shared/contract/validate.ts";
import { idempotent, once } from "../../../shared/storage/idempotency.ts";
import {
  demand,
  mayCollaboration,
  mayOrganization,
  type Principal,
  reachableOrganizations,
  widestScope,
} from "../../../shared/contract/permissions.ts";
import type { IdentityDeps } from "../deps.ts";
import { worksElsewhere } from "../rights/other_collaborations.ts";
import { DEFAULT_ROLES } from "../rights/catalogue.ts";
import { changedIds, mayViewGrants, mayViewRole, requireHoldsAll, rulesToGive } from "../rules.ts";
import { organizationById } from "../store/organization.ts";
import {
  deleteRole,
  insertRole,
  lockRole,
  roleById,
  rolePage,
  type RoleRow,
  setRulesOfRole,
  updateRole,
  userHasRole,
  userIdsOfRole,
} from "../store/role.ts";
import { ruleById, ruleNamesByIds, rulesByIds, rulesOfRole } from "../store/rule.ts";
import { userById } from "../store/user.ts";
import { deleteRefreshTokens } from "../store/session.ts";
import { showRule } from "./rule.ts";
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

const description = text.pipe(z.string().max(1024));

const newRole = z.object({
  name: text.pipe(z.string().min(1)),
  description: nullAsAbsent(description),
  rules: ids,
  organization_id: nullAsAbsent(id),
});

/** The field's client sends what it does not change as null. */
const changes = z.object({
  name: nullAsAbsent(text.pipe(z.string().min(1))),
  description: nullAsAbsent(description),
  rules: nullAsAbsent(ids),
  organization_id: z.null("cannot be changed").optional(),
});

const deletion = z.object({ delete_dependents: queryBoolean.default(false) });

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
    organization: referTo("organization", row.organization_id),
  };
}

export function roleRoutes({ db, ask, outbox }: IdentityDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get("/role", allow(["user"]), query(listQuery), async function listRoles(c) {
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
      demand(mayViewGrants(principal, user), `view the roles of user ${user.id}`);
      where.push(db`id in (select role_id from user_role where user_id = ${user.id})`);
    }
    const { rows, total } = await rolePage(db, {
      where,
      order: parseSort(wanted.sort, SORTABLE, { column: "id", descending: false }),
      window: pageWindow(wanted),
    });
    return pageAnswer(c, rows.map(showRole), total, wanted);
  });

  routes.get("/role/:id", allow(["user"]), async function getRole(c) {
    const principal = c.get("principal");
    const roleId = pathId(c.req.param("id"));
    const row = found(await roleById(db, roleId), "role", roleId);
    const isOwn = await userHasRole(db, principal.id, roleId);
    demand(mayViewRole(principal, row, isOwn), `view role ${roleId}`);
    return c.json(showRole(row));
  });

  async function requireRules(ruleIds: number[]): Promise<void> {
    const known = await rulesByIds(db, ruleIds);
    const missing = ruleIds.find((ruleId) => !known.some((rule) => rule.id === ruleId));
    if (missing !== undefined) {
      throw new SextantError("not_found", `There is no rule ${missing}.`);
    }
  }

  function requireOwnName(name: string | undefined): void {
    if (DEFAULT_ROLES.every((role) => role.name !== name)) return;
    throw new SextantError("invalid_request", `"${name}" is the name of a default role.`);
  }

  /** The role in the path, when the caller may do this to it. */
  async function roleInHand(
    principal: Principal,
    idText: string | undefined,
    permission: "role:EDIT" | "role:DELETE",
  ): Promise<RoleRow> {
    const roleId = pathId(idText);
    const role = found(await roleById(db, roleId), "role", roleId);
    const verb = permission === "role:EDIT" ? "edit" : "delete";
    demand(mayOrganization(principal, permission, role.organization_id), `${verb} role ${roleId}`);
    if (role.is_default_role) {
      throw new SextantError("invalid_request", `You cannot ${verb} a default role.`);
    }
    return role;
  }

  /**
   * Gives a role other rules. The caller must hold what is given and what is taken; users who lose a rule by it
   * lose their refresh tokens.
   */
  async function changeRules(
    principal: Principal,
    { id: roleId, organization_id }: RoleRow,
    decide: (before: number[]) => number[],
    values: { name?: string; description?: string } = {},
  ): Promise<RoleRow> {
    const elsewhere = organization_id !== null &&
      await worksElsewhere(ask, principal, organization_id);
    return await outbox.change(async ({ tx, emit }) => {
      // Two changes of one role must not each decide on what the other is about to replace.
      found(await lockRole(tx, roleId), "role", roleId);
      const before = (await rulesOfRole(tx, roleId)).map((rule) => rule.id);
      const after = decide(before);
      const changed = changedIds(before, after);
      requireHoldsAll(principal, await ruleNamesByIds(tx, changed));
      const added = after.filter((ruleId) => !before.includes(ruleId));
      requireHoldsAll(principal, rulesToGive(await ruleNamesByIds(tx, added), elsewhere));
      if (changed.length > 0) await setRulesOfRole(tx, roleId, after);
      if (before.some((ruleId) => !after.includes(ruleId))) {
        await deleteRefreshTokens(tx, "user", await userIdsOfRole(tx, roleId));
      }
      const row = await updateRole(tx, roleId, values);
      emit("role.changed", { role_id: roleId });
      return row;
    });
  }

  routes.post(
    "/role",
    allow(["user"], "role:CREATE"),
    body(newRole),
    idempotent(db),
    async function createRole(c) {
      const principal = c.get("principal");
      const given = c.req.valid("json");
      requireOwnName(given.name);
      const organization_id = given.organization_id ?? principal.organization_id;
      found(await organizationById(db, organization_id), "organization", organization_id);
      demand(
        mayOrganization(principal, "role:CREATE", organization_id),
        `create a role in organization ${organization_id}`,
      );
      await requireRules(given.rules);
      requireHoldsAll(principal, await ruleNamesByIds(db, given.rules));
      return await once(c, outbox, async ({ tx, emit }) => {
        const { name, description = "" } = given;
        const row = await insertRole(tx, { name, description, organization_id }, given.rules);
        emit("role.changed", { role_id: row.id });
        return c.json(showRole(row), 201);
      });
    },
  );

  routes.patch(
    "/role/:id",
    allow(["user"], "role:EDIT"),
    body(changes),
    async function changeRole(c) {
      const principal = c.get("principal");
      const role = await roleInHand(principal, c.req.param("id"), "role:EDIT");
      const { name, description, rules } = c.req.valid("json");
      requireOwnName(name);
      if (rules) await requireRules(rules);
      const row = await changeRules(principal, role, (before) => rules ?? before, {
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description }),
      });
      return c.json(showRole(row));
    },
  );

  routes.delete(
    "/role/:id",
    allow(["user"], "role:DELETE"),
    query(deletion),
    async function removeRole(c) {
      const principal = c.get("principal");
      const { id: roleId } = await roleInHand(principal, c.req.param("id"), "role:DELETE");
      const { delete_dependents } = c.req.valid("query");
      await outbox.change(async ({ tx, emit }) => {
        const users = await userIdsOfRole(tx, roleId);
        if (users.length > 0 && !delete_dependents) {
          throw new SextantError(
            "invalid_request",
            `Role ${roleId} is assigned to ${users.length} users. ` +
              "Set delete_dependents to take it from them.",
          );
        }
        if (users.length > 0) {
          const rules = (await rulesOfRole(tx, roleId)).map((rule) => rule.id);
          requireHoldsAll(principal, await ruleNamesByIds(tx, rules));
          await deleteRefreshTokens(tx, "user", users);
        }
        await deleteRole(tx, roleId);
        emit("role.deleted", { role_id: roleId });
      });
      return c.json({ msg: `Role ${roleId} is deleted.` });
    },
  );

  routes.post(
    "/role/:id/rule/:rule_id",
    allow(["user"], "role:EDIT"),
    async function addRule(c) {
      const principal = c.get("principal");
      const ruleId = pathId(c.req.param("rule_id"));
      const role = await roleInHand(principal, c.req.param("id"), "role:EDIT");
      found(await ruleById(db, ruleId), "rule", ruleId);
      await changeRules(principal, role, (before) => [...new Set([...before, ruleId])]);
      return c.json((await rulesOfRole(db, role.id)).map(showRule), 201);
    },
  );

  routes.delete(
    "/role/:id/rule/:rule_id",
    allow(["user"], "role:EDIT"),
    async function removeRule(c) {
      const principal = c.get("principal");
      const ruleId = pathId(c.req.param("rule_id"));
      const role = await roleInHand(principal, c.req.param("id"), "role:EDIT");
      found(await ruleById(db, ruleId), "rule", ruleId);
      await changeRules(principal, role, (before) => before.filter((id) => id !== ruleId));
      return c.json((await rulesOfRole(db, role.id)).map(showRule));
    },
  );

  return routes;
}
