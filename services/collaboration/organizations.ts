/**
 * What this service asks identity about organizations.
 * @module
 */
import { SextantError } from "../../shared/errors.ts";
import type { Ask } from "../../shared/rpc_methods.ts";

/** Throws 404 naming every id that is no organization's. */
export async function requireOrganizations(ask: Ask, ids: number[]): Promise<void> {
  const known = await ask("identity", "organizations", { ids });
  const missing = ids.filter((id) => !known.some((organization) => organization.id === id));
  if (missing.length > 0) {
    throw new SextantError("not_found", `There is no organization ${missing.join(", ")}.`);
  }
}

/** The contract's Organization objects, as identity shows them. */
export async function showOrganizations(ask: Ask, ids: number[]) {
  return await ask("identity", "show_organizations", { ids });
}

export async function organizationName(ask: Ask, id: number): Promise<string> {
  const [organization] = await ask("identity", "organizations", { ids: [id] });
  if (!organization) throw new SextantError("not_found", `There is no organization ${id}.`);
  return organization.name;
}
