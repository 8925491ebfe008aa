/**
 * The SQL of roles.
 * @module
 */
import { type Db, type Tx } from "../../../shared/storage/db.ts";
import { type RowList, rowList } from "../../../shared/storage/row_list.ts";
import { withoutAbsent } from "./without_absent.ts";

export interface RoleRow {
  id: number;
  name: string;
  description: string;
  is_default_role: boolean;
  organization_id: number | null;
}

const roleColumns = (tx: Tx) => tx`id, name, description, is_default_role, organization_id`;

export async function roleById(tx: Tx, id: number): Promise<RoleRow | undefined> {
  const [row] = await tx<RoleRow[]>`select ${roleColumns(tx)} from role where id = ${id}`;
  return row;
}

/**
 * Keeps others from changing the role until this transaction ends; `undefined` when there is none.
 */
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
  description?: string | undefined;
  /** Null for a role of everybody's. */
  organization_id: number | null;
}

/** What can be changed of a role; what is left out stays as it is. */
export interface RoleValues {
  name?: string | undefined;
  description?: string | undefined;
  organization_id?: number | null | undefined;
}

export async function insertRole(tx: Tx, values: NewRole, ruleIds: number[]): Promise<RoleRow> {
  const [row] = await tx<RoleRow[]>`insert into role ${tx(withoutAbsent(values))} returning ${
    roleColumns(tx)
  }`;
  await setRulesOfRole(tx, row!.id, ruleIds);
  return row!;
}

/** Changes what is given and returns the row. The role must exist. */
export async function updateRole(tx: Tx, id: number, values: RoleValues): Promise<RoleRow> {
  const changed = withoutAbsent(values);
  if (Object.keys(changed).length > 0) await tx`update role set ${tx(changed)} where id = ${id}`;
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

export function roleRows(db: Db): RowList<RoleRow> {
  return rowList<RoleRow>(db, { columns: roleColumns(db), from: db`role`, counted: "role" });
}
