/**
 * Organizations of an import file, with their users.
 * @module
 */
import * as operator from "../../identity/operator.ts";
import { ShellError } from "../errors.ts";
import type { Row } from "../models/description.ts";
import type { OrganizationEntry, UserEntry } from "./file.ts";
import type { Path, Settling } from "./settle.ts";

interface Home {
  id: number;
  name: string;
}

export async function importOrganization(
  settling: Settling,
  { users, ...entry }: OrganizationEntry,
  at: Path,
): Promise<void> {
  const { changes: { identity }, settle, inLine } = settling;
  const { name } = entry;
  const id = await inLine(at, async () => {
    const [before] = await identity.tx<Row[]>`select * from organization where name = ${name}`;
    return await settle({
      label: `organization ${name}`,
      before,
      wanted: entry,
      create: (values) => operator.createOrganization(identity, values),
      update: (id, values) => operator.updateOrganization(identity, id, values),
    });
  });
  for (const [place, user] of (users ?? []).entries()) {
    const path = [...at, "users", place];
    await inLine([...path, "username"], () => importUser(settling, user, { id, name }, path));
  }
}

async function importUser(settling: Settling, entry: UserEntry, home: Home, at: Path) {
  const { changes: { identity }, report, lineOf, settle } = settling;
  const { username, password, roles: names, ...values } = entry;
  const label = `user ${username}`;
  const [before] = await identity.tx<Row[]>`
    select "user".*, organization.name as home from "user"
    join organization on organization.id = organization_id where username = ${username}`;
  if (before && before.organization_id !== home.id) {
    report.warn(
      `line ${lineOf(at)}: ${username} exists in organization ${before.home}; left alone`,
    );
    return report.unchanged(label);
  }
  if (!before && !password) {
    throw new ShellError(`User: password is missing, and ${username} is new`);
  }
  if (!before && !names) {
    report.warn(`line ${lineOf(at)}: ${username} has no roles in the file and gets Root`);
  }
  const roles = names || !before ? await roleIds(settling, names ?? ["Root"], home, at) : undefined;
  const same = before && roles && await hasRoles(settling, before.id as number, roles);
  await settle({
    label,
    before,
    wanted: { ...values, ...(same ? {} : { roles }) },
    create: (values) =>
      operator.createUser(identity, {
        ...values,
        username,
        password: password!,
        organization_id: home.id,
      }),
    // Whether somebody is left who can administer the hub, is judged once all is settled.
    update: (id, values) => operator.updateUser(identity, id, values, { force: true }),
  });
}

async function hasRoles({ changes }: Settling, user: number, roles: number[]): Promise<boolean> {
  const rows = await changes.identity.tx<{ role_id: number }[]>`
    select role_id from user_role where user_id = ${user}`;
  const held = new Set(rows.map((one) => one.role_id));
  return held.size === roles.length && roles.every((one) => held.has(one));
}

/** Ids of roles of the hub, or of the organization itself. */
async function roleIds(
  { changes, inLine }: Settling,
  names: string[],
  { id }: Home,
  at: Path,
): Promise<number[]> {
  const found: number[] = [];
  for (const [place, name] of names.entries()) {
    const [role] = await changes.identity.tx<{ id: number }[]>`
      select id from role
      where name = ${name} and (organization_id is null or organization_id = ${id})
      order by organization_id nulls last, id limit 1`;
    if (role) found.push(role.id);
    else {
      await inLine(
        [...at, "roles", place],
        () => Promise.reject(new ShellError(`there is no role ${JSON.stringify(name)}`)),
      );
    }
  }
  return found;
}
