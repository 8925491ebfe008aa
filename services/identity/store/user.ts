/**
 * The SQL of users, with the roles and rules that they are given.
 * @module
 */
import { type Db, type Tx } from "../../../shared/storage/db.ts";
import { type RowList, rowList } from "../../../shared/storage/row_list.ts";
import { withoutAbsent } from "./without_absent.ts";

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

const userColumns = (tx: Tx) =>
  tx`id, username, firstname, lastname, email, organization_id, last_seen,
     last_email_failed_login_sent, last_email_recover_password_sent`;

export interface NewUser {
  username: string;
  password_hash: string;
  firstname?: string | null;
  lastname?: string | null;
  email?: string | null;
  organization_id: number;
  failed_login_attempts?: number;
}

export async function insertUser(
  tx: Tx,
  values: NewUser,
  grants: { roles: number[]; rules: number[] },
): Promise<UserRow> {
  const [row] = await tx<UserRow[]>`insert into "user" ${tx(withoutAbsent(values))} returning ${
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

/** What can be changed of a user; what is left out stays as it is. */
export interface UserValues {
  username?: string | undefined;
  password_hash?: string | undefined;
  firstname?: string | null | undefined;
  lastname?: string | null | undefined;
  email?: string | null | undefined;
  organization_id?: number | undefined;
  /** Whether mail to the address may recover the account. */
  recoverable?: boolean | undefined;
  failed_login_attempts?: number | undefined;
}

/** Changes what is given and returns the row. The user must exist. */
export async function updateUser(tx: Tx, id: number, values: UserValues): Promise<UserRow> {
  const changed = withoutAbsent(values);
  if (Object.keys(changed).length > 0) await tx`update "user" set ${tx(changed)} where id = ${id}`;
  return (await userById(tx, id))!;
}

/**
 * Keeps others from changing the user until this transaction ends; `undefined` when there is none.
 */
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

export async function usernameExists(tx: Tx, username: string): Promise<boolean> {
  const [row] = await tx`select 1 from "user" where username = ${username}`;
  return row !== undefined;
}

export function userRows(db: Db): RowList<UserRow> {
  return rowList<UserRow>(db, { columns: userColumns(db), from: db`"user"`, counted: "user" });
}

export async function roleNamesOfUser(tx: Tx, userId: number): Promise<string[]> {
  const rows = await tx<{ name: string }[]>`
    select role.name from role join user_role on user_role.role_id = role.id
    where user_role.user_id = ${userId} order by role.id`;
  return rows.map((row) => row.name);
}
