/**
 * Changes of organizations, with what follows from them here and what is told of them.
 * @module
 */
import { fingerprintOfText } from "../../../shared/contract/public_key.ts";
import { found } from "../../../shared/contract/validate.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { type Forced, keepAdministrator } from "./administrator.ts";
import * as store from "../store/organization.ts";
import type {
  NewOrganization,
  OrganizationRow,
  OrganizationValues,
} from "../store/organization.ts";
import { deleteSessions } from "../store/session.ts";

/** Makes an organization. What is left out is null, the public key empty. */
export async function createOrganization(
  { tx, emit }: Change,
  values: NewOrganization,
): Promise<OrganizationRow> {
  const row = await store.insertOrganization(tx, values);
  const public_key = fingerprintOfText(row.public_key);
  emit("organization.changed", {
    organization_id: row.id,
    ...(public_key === null ? {} : { public_key }),
  });
  return row;
}

/**
 * Changes what is given; 404 when there is no such organization. Another public key is told by its
 * fingerprint, so that the record of the audit says who changed it to what.
 */
export async function updateOrganization(
  { tx, emit }: Change,
  id: number,
  values: OrganizationValues,
): Promise<OrganizationRow> {
  const before = found(await store.lockOrganization(tx, id), "organization", id);
  const row = found(await store.updateOrganization(tx, id, values), "organization", id);
  const changed = row.public_key !== before.public_key;
  emit("organization.changed", {
    organization_id: id,
    ...(changed ? { public_key: fingerprintOfText(row.public_key) } : {}),
  });
  return row;
}

/**
 * Deletes an organization with its users, who are logged out, and its roles; 404 when it is gone,
 * 400 when nobody would be left who can administer the hub. The other services hear of it and
 * delete what is theirs, also when they are down at this moment.
 */
export async function removeOrganization(
  { tx, emit }: Change,
  id: number,
  forced: Forced = {},
): Promise<void> {
  const gone = await keepAdministrator(
    tx,
    forced,
    () => store.deleteOrganization(tx, id),
  );
  const { userIds, roleIds } = found(gone, "organization", id);
  await deleteSessions(tx, "user", userIds);
  for (const user_id of userIds) emit("user.deleted", { user_id, organization_id: id });
  for (const role_id of roleIds) emit("role.deleted", { role_id });
  emit("organization.deleted", { organization_id: id });
}
