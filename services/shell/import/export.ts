/**
 * `db.export()`: organizations, users and collaborations in the form of an import file. Without
 * secrets: passwords and keys are stored as hashes, so the file changes nothing where they exist,
 * and a new user needs one added.
 * @module
 */
import { stringify } from "yaml";
import type { AnyRecord, Shell } from "../shell.ts";

/** The file's text; also written to `path` when one is given. */
export async function exportEntities(shell: Shell, path?: string): Promise<string> {
  const { Organization, Collaboration } = shell.models;
  const organizations: unknown[] = [];
  for await (const one of Organization.each()) {
    organizations.push(await organizationEntry(shell, one));
  }
  const collaborations: unknown[] = [];
  for await (const one of Collaboration.each()) {
    const participants: unknown[] = [];
    for await (const { name } of one.organizations) participants.push({ name });
    collaborations.push({ name: one.name, encrypted: one.encrypted, participants });
  }
  const text = stringify({ organizations, collaborations }, { lineWidth: 0 });
  if (path !== undefined) await Deno.writeTextFile(path, text);
  return text;
}

async function organizationEntry(shell: Shell, organization: AnyRecord) {
  const { name, domain, address1, address2, zipcode, country, publicKey } = organization;
  const users: unknown[] = [];
  for await (const user of shell.models.User.each({ organization })) {
    const { username, firstname, lastname, email } = user;
    const roles = (await user.roles as AnyRecord[]).map((role) => role.name);
    users.push({ username, firstname, lastname, email, roles });
  }
  return { name, domain, address1, address2, zipcode, country, public_key: publicKey, users };
}
