/**
 * The SQL of identity. Functions take the pool or a transaction and return rows as the database has them.
 * @module
 */
import {
  type Db,
  type Fragment,
  type PageRequest,
  selectPage,
  type Tx,
} from "../../shared/storage/db.ts";
import type { RuleName } from "../../shared/contract/permissions.ts";
import { DEFAULT_ROLES, RULES } from "./catalogue.ts";

export interface OrganizationRow {
  id: number;
  name: string;
  domain: string | null;
  address1: string | null;
  address2: string | null;
  zipcode: string | null;
  country: string | null;
  public_key: string;
}

export interface UserRow {
  id: number;
  username: string;
  firstname: string | null;
  lastname: string | null;
  email: string | null;
  organization_id: number;
  last_seen: Date | null;
  last_email_failed_login_sent: Date | null;
  last_email_recover_password_sent: Date | null;
}

export interface RoleRow {
  id: number;
  name: string;
  description: string;
  is_default_role: boolean;
  organization_id: number | null;
}

export interface RuleRow {
  id: number;
  name: string;
  operation: string;
  scope: string;
  description: string;
}

const organizationColumns = (tx: Tx) =>
  tx`id, name, domain, address1, address2, zipcode, country, public_key`;
const userColumns = (tx: Tx) =>
  tx`id, username, firstname, lastname, email, organization_id, last_seen,
     last_email_failed_login_sent, last_email_recover_password_sent`;
const roleColumns = (tx: Tx) => tx`id, name, description, is_default_role, organization_id`;
const ruleColumns = (tx: Tx) => tx`id, name, operation, scope, description`;

// -- organizations ------------------------------------------------------------------------------------------

export type NewOrganization = Omit<OrganizationRow, "id">;

export async function insertOrganization(
  tx: Tx,
  values: NewOrganization,
): Promise<OrganizationRow> {
  const [row] = await tx<OrganizationRow[]>`
    insert into organization ${tx(values)} returning ${organizationColumns(tx)}`;
  return row!;
}

export async function organizationById(tx: Tx, id: number): Promise<OrganizationRow | undefined> {
  const [row] = await tx<OrganizationRow[]>`
    select ${organizationColumns(tx)} from organization where id = ${id}`;
  return row;
}

export async function organizationsByIds(tx: Tx, ids: number[]): Promise<OrganizationRow[]> {
  return await tx<OrganizationRow[]>`
    select ${organizationColumns(tx)} from organization where id = any(${ids}) order by id`;
}

export async function organizationNames(
  tx: Tx,
  ids: number[],
): Promise<{ id: number; name: string }[]> {
  return await tx<{ id: number; name: string }[]>`
    select id, name from organization where id = any(${ids})`;
}

/** Changes what is given. Returns the row, or `undefined` when there is none. */
export async function updateOrganization(
  tx: Tx,
  id: number,
  values: Partial<NewOrganization>,
): Promise<OrganizationRow | undefined> {
  if (Object.keys(values).length === 0) return await organizationById(tx, id);
  const [row] = await tx<OrganizationRow[]>`
    update organization set ${tx(values)} where id = ${id} returning ${organizationColumns(tx)}`;
  return row;
}

/** Deletes an organization with its users and roles, and returns their ids. */
export async function deleteOrganization(
  tx: Tx,
  id: number,
): Promise<{ userIds: number[]; roleIds: number[] }> {
  const users = await tx<
    { id: number }[]
  >`delete from "user" where organization_id = ${id} returning id`;
  const roles = await tx<
    { id: number }[]
  >`delete from role where organization_id = ${id} returning id`;
  await tx`delete from organization where id = ${id}`;
  return { userIds: users.map((row) => row.id), roleIds: roles.map((row) => row.id) };
}

/** How many users and roles an organization has. */
export async function organizationContent(
  tx: Tx,
  id: number,
): Promise<{ users: number; roles: number }> {
  const [row] = await tx<{ users: number; roles: number }[]>`
    select (select count(*)::integer from "user" where organization_id = ${id}) as users,
      (select count(*)::integer from role where organization_id = ${id}) as roles`;
  return row!;
}

export function organizationPage(db: Db, request: PageRequest) {
  return selectPage<OrganizationRow>(db, organizationColumns(db), db`organization`, {
    ...request,
    counted: "organization",
  });
}

// -- users --------------------------------------------------------------------------------------------------

export interface NewUser {
  username: string;
  password_hash: string;
  firstname: string | null;
  lastname: string | null;
  email: string | null;
  organization_id: number;
}

export async function insertUser(
  tx: Tx,
  values: NewUser,
  grants: { roles: number[]; rules: number[] },
): Promise<UserRow> {
  const [row] = await tx<UserRow[]>`insert into "user" ${tx({ ...values })} returning ${
    userColumns(tx)
  }`;
  await tx`
    insert into user_role (user_id, role_id)
    select ${row!.id}, id from role where id = any(${grants.roles})`;
  await tx`
    insert into user_rule (user_id, rule_id)
    select ${row!.id}, id from rule where id = any(${grants.rules})`;
  return row!;
}

export async function userById(tx: Tx, id: number): Promise<UserRow | undefined> {
  const [row] = await tx<UserRow[]>`select ${userColumns(tx)} from "user" where id = ${id}`;
  return row;
}

export interface UserChanges {
  username?: string | undefined;
  firstname?: string | undefined;
  lastname?: string | undefined;
  email?: string | undefined;
  recoverable?: boolean | undefined;
}

/** Changes what is given and returns the row. The user must exist. */
export async function updateUser(tx: Tx, id: number, changes: UserChanges): Promise<UserRow> {
  const given = Object.fromEntries(
    Object.entries(changes).filter(([, value]) => value !== undefined),
  );
  if (Object.keys(given).length > 0) await tx`update "user" set ${tx(given)} where id = ${id}`;
  return (await userById(tx, id))!;
}

/** Keeps others from changing the user until this transaction ends; `undefined` when there is none. */
export async function lockUser(tx: Tx, id: number): Promise<UserRow | undefined> {
  const [row] = await tx<UserRow[]>`
    select ${userColumns(tx)} from "user" where id = ${id} for update`;
  return row;
}

export async function deleteUser(tx: Tx, id: number): Promise<void> {
  await tx`delete from "user" where id = ${id}`;
}

export async function roleIdsOfUser(tx: Tx, id: number): Promise<number[]> {
  const rows = await tx<{ role_id: number }[]>`
    select role_id from user_role where user_id = ${id} order by role_id`;
  return rows.map((row) => row.role_id);
}

/** The rules attached to a user directly. */
export async function ruleIdsOfUser(tx: Tx, id: number): Promise<number[]> {
  const rows = await tx<{ rule_id: number }[]>`
    select rule_id from user_rule where user_id = ${id} order by rule_id`;
  return rows.map((row) => row.rule_id);
}

export async function setRolesOfUser(tx: Tx, id: number, roleIds: number[]): Promise<void> {
  await tx`delete from user_role where user_id = ${id}`;
  await tx`
    insert into user_role (user_id, role_id) select ${id}, id from role where id = any(${roleIds})`;
}

export async function setRulesOfUser(tx: Tx, id: number, ruleIds: number[]): Promise<void> {
  await tx`delete from user_rule where user_id = ${id}`;
  await tx`
    insert into user_rule (user_id, rule_id) select ${id}, id from rule where id = any(${ruleIds})`;
}

export async function touchUser(tx: Tx, userId: number, at: Date): Promise<void> {
  await tx`update "user" set last_seen = ${at} where id = ${userId}`;
}

export async function anyUserExists(tx: Tx): Promise<boolean> {
  const [row] = await tx`select 1 from "user" limit 1`;
  return row !== undefined;
}

export function userPage(db: Db, request: PageRequest) {
  return selectPage<UserRow>(db, userColumns(db), db`"user"`, {
    ...request,
    counted: "user",
  });
}

export async function roleNamesOfUser(tx: Tx, userId: number): Promise<string[]> {
  const rows = await tx<{ name: string }[]>`
    select role.name from role join user_role on user_role.role_id = role.id
    where user_role.user_id = ${userId} order by role.id`;
  return rows.map((row) => row.name);
}

/** The union of the rules of all roles of a user and those attached directly. */
export function effectiveRules(tx: Tx, userId: number): Fragment {
  return tx`
    select rule_id from user_rule where user_id = ${userId}
    union
    select rule_id from user_role join role_rule using (role_id) where user_id = ${userId}`;
}

export async function ruleNamesOfUser(tx: Tx, userId: number): Promise<RuleName[]> {
  return await ruleNames(tx, effectiveRules(tx, userId));
}

// -- roles and rules ----------------------------------------------------------------------------------------

async function ruleNames(tx: Tx, ruleIds: Fragment): Promise<RuleName[]> {
  const rows = await tx<{ rule: RuleName }[]>`
    select name || ':' || operation || ':' || scope as rule from rule
    where id in (${ruleIds}) order by id`;
  return rows.map((row) => row.rule);
}

export async function ruleNamesByIds(tx: Tx, ids: number[]): Promise<RuleName[]> {
  return await ruleNames(tx, tx`select unnest(${ids}::integer[])`);
}

export async function ruleNamesOfRoles(tx: Tx, roleIds: number[]): Promise<RuleName[]> {
  return await ruleNames(tx, tx`select rule_id from role_rule where role_id = any(${roleIds})`);
}

export async function roleById(tx: Tx, id: number): Promise<RoleRow | undefined> {
  const [row] = await tx<RoleRow[]>`select ${roleColumns(tx)} from role where id = ${id}`;
  return row;
}

/** Keeps others from changing the role until this transaction ends; `undefined` when there is none. */
export async function lockRole(tx: Tx, id: number): Promise<RoleRow | undefined> {
  const [row] = await tx<RoleRow[]>`
    select ${roleColumns(tx)} from role where id = ${id} for update`;
  return row;
}

export async function rolesByIds(tx: Tx, ids: number[]): Promise<RoleRow[]> {
  return await tx<RoleRow[]>`select ${roleColumns(tx)} from role where id = any(${ids})`;
}

export async function defaultRoleId(tx: Tx, name: string): Promise<number> {
  const [row] = await tx<{ id: number }[]>`
    select id from role where is_default_role and name = ${name}`;
  return row!.id;
}

export async function userHasRole(tx: Tx, userId: number, roleId: number): Promise<boolean> {
  const [row] = await tx`
    select 1 from user_role where user_id = ${userId} and role_id = ${roleId}`;
  return row !== undefined;
}

export interface NewRole {
  name: string;
  description: string;
  organization_id: number;
}

export async function insertRole(tx: Tx, values: NewRole, ruleIds: number[]): Promise<RoleRow> {
  const [row] = await tx<RoleRow[]>`insert into role ${tx({ ...values })} returning ${
    roleColumns(tx)
  }`;
  await setRulesOfRole(tx, row!.id, ruleIds);
  return row!;
}

export async function updateRole(
  tx: Tx,
  id: number,
  values: { name?: string; description?: string },
): Promise<RoleRow> {
  if (Object.keys(values).length > 0) await tx`update role set ${tx(values)} where id = ${id}`;
  return (await roleById(tx, id))!;
}

export async function deleteRole(tx: Tx, id: number): Promise<void> {
  await tx`delete from role where id = ${id}`;
}

export async function setRulesOfRole(tx: Tx, roleId: number, ruleIds: number[]): Promise<void> {
  await tx`delete from role_rule where role_id = ${roleId}`;
  await tx`
    insert into role_rule (role_id, rule_id)
    select ${roleId}, id from rule where id = any(${ruleIds})`;
}

/** The users who have a role. */
export async function userIdsOfRole(tx: Tx, roleId: number): Promise<number[]> {
  const rows = await tx<{ user_id: number }[]>`
    select user_id from user_role where role_id = ${roleId} order by user_id`;
  return rows.map((row) => row.user_id);
}

export async function rulesOfRole(tx: Tx, roleId: number): Promise<RuleRow[]> {
  return await tx<RuleRow[]>`
    select ${ruleColumns(tx)} from rule
    where id in (select rule_id from role_rule where role_id = ${roleId}) order by id`;
}

/** Which of these rules exist. */
export async function rulesByIds(tx: Tx, ids: number[]): Promise<RuleRow[]> {
  return await tx<RuleRow[]>`select ${
    ruleColumns(tx)
  } from rule where id = any(${ids}) order by id`;
}

export function rolePage(db: Db, request: PageRequest) {
  return selectPage<RoleRow>(db, roleColumns(db), db`role`, {
    ...request,
    counted: "role",
  });
}

export async function ruleById(tx: Tx, id: number): Promise<RuleRow | undefined> {
  const [row] = await tx<RuleRow[]>`select ${ruleColumns(tx)} from rule where id = ${id}`;
  return row;
}

export function rulePage(db: Db, request: PageRequest) {
  return selectPage<RuleRow>(db, ruleColumns(db), db`rule`, request);
}

/** Writes rules and default roles as the catalogue has them, mending what was changed by hand. */
export async function seedCatalogue(db: Db): Promise<void> {
  await db.begin(async (tx) => {
    await tx`lock table rule, role in share row exclusive mode`;
    await tx`
      insert into rule ${tx(RULES.map((rule) => ({ ...rule })))}
      on conflict (id) do update set name = excluded.name, operation = excluded.operation,
        scope = excluded.scope, description = excluded.description`;
    for (const { name, description, rules } of DEFAULT_ROLES) {
      await tx`
        insert into role (name, description, is_default_role) values (${name}, ${description}, true)
        on conflict (name) where is_default_role do update set description = excluded.description`;
      const id = await defaultRoleId(tx, name);
      const wanted = tx`
        select id from rule where name || ':' || operation || ':' || scope = any(${rules})`;
      await tx`delete from role_rule where role_id = ${id} and rule_id not in (${wanted})`;
      await tx`
        insert into role_rule (role_id, rule_id) select ${id}, id from (${wanted}) as wanted
        on conflict do nothing`;
    }
  });
}

// -- broker keys of nodes -----------------------------------------------------------------------------------

export async function rememberBrokerKey(
  tx: Tx,
  nodeId: number,
  publicKey: string,
  at: Date,
): Promise<void> {
  await tx`
    insert into node_broker_key (node_id, public_key, issued_at) values (${nodeId}, ${publicKey}, ${at})
    on conflict (node_id, public_key) do update set issued_at = excluded.issued_at`;
}

export async function brokerKeysOfNode(
  tx: Tx,
  nodeId: number,
  issuedUntil: Date,
): Promise<string[]> {
  const rows = await tx<{ public_key: string }[]>`
    select public_key from node_broker_key
    where node_id = ${nodeId} and issued_at <= ${issuedUntil}`;
  return rows.map((row) => row.public_key);
}

export async function forgetBrokerKeys(tx: Tx, publicKeys: string[]): Promise<void> {
  await tx`delete from node_broker_key where public_key = any(${publicKeys})`;
}
