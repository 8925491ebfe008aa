/**
 * The SQL of organizations.
 * @module
 */
import { type Db, type Tx } from "../../../shared/storage/db.ts";
import { type RowList, rowList } from "../../../shared/storage/row_list.ts";
import { withoutAbsent } from "./without_absent.ts";

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

const organizationColumns = (tx: Tx) =>
  tx`id, name, domain, address1, address2, zipcode, country, public_key`;

/** What can be changed of an organization; what is left out stays as it is. */
export type OrganizationValues = {
  [Column in keyof Omit<OrganizationRow, "id">]?: OrganizationRow[Column] | undefined;
};
export type NewOrganization = OrganizationValues & Pick<OrganizationRow, "name">;

export async function insertOrganization(
  tx: Tx,
  values: NewOrganization,
): Promise<OrganizationRow> {
  const [row] = await tx<OrganizationRow[]>`
    insert into organization ${tx(withoutAbsent(values))} returning ${organizationColumns(tx)}`;
  return row!;
}

/** The organization with this name, made if there is none. */
export async function ensureOrganization(
  tx: Tx,
  values: NewOrganization,
): Promise<{ id: number }> {
  const [made] = await tx<{ id: number }[]>`
    insert into organization ${tx(withoutAbsent(values))}
    on conflict (name) do nothing returning id`;
  if (made) return made;
  const [found] = await tx<{ id: number }[]>`
    select id from organization where name = ${values.name}`;
  return found!;
}

export async function organizationById(tx: Tx, id: number): Promise<OrganizationRow | undefined> {
  const [row] = await tx<OrganizationRow[]>`
    select ${organizationColumns(tx)} from organization where id = ${id}`;
  return row;
}

/**
 * Keeps others from changing the organization until this transaction ends; `undefined` when there
 * is none.
 */
export async function lockOrganization(tx: Tx, id: number): Promise<OrganizationRow | undefined> {
  const [row] = await tx<OrganizationRow[]>`
    select ${organizationColumns(tx)} from organization where id = ${id} for no key update`;
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
  values: OrganizationValues,
): Promise<OrganizationRow | undefined> {
  const changed = withoutAbsent(values);
  if (Object.keys(changed).length === 0) return await organizationById(tx, id);
  const [row] = await tx<OrganizationRow[]>`
    update organization set ${tx(changed)} where id = ${id} returning ${organizationColumns(tx)}`;
  return row;
}

/**
 * Deletes an organization with its users and roles, and returns their ids; `undefined` when there
 * is none.
 */
export async function deleteOrganization(
  tx: Tx,
  id: number,
): Promise<{ userIds: number[]; roleIds: number[] } | undefined> {
  const users = await tx<
    { id: number }[]
  >`delete from "user" where organization_id = ${id} returning id`;
  const roles = await tx<
    { id: number }[]
  >`delete from role where organization_id = ${id} returning id`;
  const [gone] = await tx`delete from organization where id = ${id} returning id`;
  return gone && { userIds: users.map((row) => row.id), roleIds: roles.map((row) => row.id) };
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

export function organizationRows(db: Db): RowList<OrganizationRow> {
  return rowList<OrganizationRow>(db, {
    columns: organizationColumns(db),
    from: db`organization`,
    counted: "organization",
  });
}
