/**
 * Changes of roles, with what follows from them for those who have the role, and what is told of
 * them.
 * @module
 */
import { found } from "../../../shared/contract/validate.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { type Forced, keepAdministrator } from "./administrator.ts";
import * as store from "../store/role.ts";
import type { NewRole, RoleRow, RoleValues } from "../store/role.ts";

/** Makes a role with these rules. Without an organization it is everybody's. */
export async function createRole(
  { tx, emit }: Change,
  { rules, ...values }: NewRole & { rules: number[] },
): Promise<RoleRow> {
  const row = await store.insertRole(tx, values, rules);
  emit("role.changed", { role_id: row.id });
  return row;
}

/**
 * Changes what is given; `rules` replace those there were. Those who have the role have what it
 * gives from now on, with the log-ins that they have; 400 when nobody would be left who can
 * administer the hub.
 */
export async function updateRole(
  { tx, emit }: Change,
  id: number,
  { rules, ...values }: RoleValues & { rules?: number[] | undefined },
  forced: Forced = {},
): Promise<RoleRow> {
  // Two changes of one role must not each decide on what the other is about to replace.
  found(await store.lockRole(tx, id), "role", id);
  if (rules) {
    await keepAdministrator(tx, forced, () => store.setRulesOfRole(tx, id, rules));
  }
  const row = await store.updateRole(tx, id, values);
  emit("role.changed", { role_id: id });
  return row;
}

/**
 * Deletes a role, and takes it from those who have it. Never a default role (400), nor what the
 * last one who can administer the hub can do so by (400).
 */
export async function removeRole(
  { tx, emit }: Change,
  id: number,
  forced: Forced = {},
): Promise<void> {
  const role = found(await store.lockRole(tx, id), "role", id);
  if (role.is_default_role) {
    throw new SextantError("invalid_request", "You cannot delete a default role.");
  }
  await keepAdministrator(tx, forced, () => store.deleteRole(tx, id));
  emit("role.deleted", { role_id: id });
}
