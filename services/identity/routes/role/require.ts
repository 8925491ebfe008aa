/**
 * What more than one operation on roles demands.
 * @module
 */
import {
  demand,
  mayOrganization,
  type Principal,
} from "../../../../shared/contract/permissions.ts";
import { found, pathId } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import type { Db } from "../../../../shared/storage/db.ts";
import { DEFAULT_ROLES } from "../../rights/catalogue.ts";
import { roleById, type RoleRow } from "../../store/role.ts";
import { rulesByIds } from "../../store/rule.ts";

/** Throws 404 unless all are rules. */
export async function requireRules(db: Db, ids: number[]): Promise<void> {
  const known = await rulesByIds(db, ids);
  const missing = ids.find((id) => !known.some((rule) => rule.id === id));
  if (missing !== undefined) found(undefined, "rule", missing);
}

/** Throws 400 for the name of a default role. */
export function requireOwnName(name: string | undefined): void {
  if (DEFAULT_ROLES.every((role) => role.name !== name)) return;
  throw new SextantError("invalid_request", `"${name}" is the name of a default role.`);
}

export interface Attempt {
  principal: Principal;
  /** From the path. */
  id: string | undefined;
  permission: "role:EDIT" | "role:DELETE";
}

/** The role, when there is one that is no default role and the caller may do this to it. */
export async function requireChangeable(
  db: Db,
  { principal, id: given, permission }: Attempt,
): Promise<RoleRow> {
  const id = pathId(given);
  const role = found(await roleById(db, id), "role", id);
  const verb = permission === "role:EDIT" ? "edit" : "delete";
  demand(mayOrganization(principal, permission, role.organization_id), `${verb} role ${id}`);
  if (role.is_default_role) {
    throw new SextantError("invalid_request", `You cannot ${verb} a default role.`);
  }
  return role;
}
