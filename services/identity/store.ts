/**
 * The SQL of identity. Functions take the pool or a transaction and return rows as the database has them.
 * @module
 */
import { type Db, type Fragment, type PageRequest, selectPage, type Tx } from "../../shared/db.ts";
import type { RuleName } from "../../shared/policy.ts";
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

export interface LoginRow {
  id: number;
  password_hash: string;
  failed_login_attempts: number;
  last_login_attempt: Date | null;
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

export function organizationPage(db: Db, request: PageRequest) {
  return selectPage<OrganizationRow>(db, organizationColumns(db), db`organization`, request);
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

export async function loginByUsername(tx: Tx, username: string): Promise<LoginRow | undefined> {
  const [row] = await tx<LoginRow[]>`
    select id, password_hash, failed_login_attempts, last_login_attempt
    from "user" where username = ${username}`;
  return row;
}

export async function recordLogin(
  tx: Tx,
  userId: number,
  { failures, at }: { failures: number; at: Date },
): Promise<void> {
  await tx`
    update "user" set failed_login_attempts = ${failures}, last_login_attempt = ${at}
    where id = ${userId}`;
}

export async function touchUser(tx: Tx, userId: number, at: Date): Promise<void> {
  await tx`update "user" set last_seen = ${at} where id = ${userId}`;
}

export async function anyUserExists(tx: Tx): Promise<boolean> {
  const [row] = await tx`select 1 from "user" limit 1`;
  return row !== undefined;
}

export function userPage(db: Db, request: PageRequest) {
  return selectPage<UserRow>(db, userColumns(db), db`"user"`, request);
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

export function rolePage(db: Db, request: PageRequest) {
  return selectPage<RoleRow>(db, roleColumns(db), db`role`, request);
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

// -- refresh tokens -----------------------------------------------------------------------------------------

export interface RefreshToken {
  jti: string;
  client_type: "user" | "node";
  client_id: number;
  expires_at: Date;
}

export async function insertRefreshToken(tx: Tx, token: RefreshToken): Promise<void> {
  await tx`insert into refresh_token ${tx({ ...token })}`;
}

export async function refreshTokenExists(tx: Tx, jti: string): Promise<boolean> {
  const [row] = await tx`select 1 from refresh_token where jti = ${jti}`;
  return row !== undefined;
}

/** Revokes every refresh token of one user or node. */
export async function deleteRefreshTokens(
  tx: Tx,
  clientType: RefreshToken["client_type"],
  clientId: number,
): Promise<void> {
  await tx`delete from refresh_token where client_type = ${clientType} and client_id = ${clientId}`;
}

export async function deleteExpiredRefreshTokens(tx: Tx, now: Date): Promise<void> {
  await tx`delete from refresh_token where expires_at < ${now}`;
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

export async function brokerKeysOfNode(tx: Tx, nodeId: number): Promise<string[]> {
  const rows = await tx<{ public_key: string }[]>`
    select public_key from node_broker_key where node_id = ${nodeId}`;
  return rows.map((row) => row.public_key);
}

export async function forgetBrokerKeys(tx: Tx, nodeId: number): Promise<void> {
  await tx`delete from node_broker_key where node_id = ${nodeId}`;
}
