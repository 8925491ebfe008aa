/**
 * Changes of users, with what follows from them for log-ins and recoveries, and what is told of
 * them.
 * @module
 */
import { found } from "../../../shared/contract/validate.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import type { Tx } from "../../../shared/storage/db.ts";
import { type Forced, keepAdministrator } from "./administrator.ts";
import {
  clearFailures,
  deleteResetTokens,
  setOtpSecret,
  setPasswordHash,
} from "../store/account.ts";
import { deleteSessions } from "../store/session.ts";
import * as store from "../store/user.ts";
import type { NewUser, UserRow, UserValues } from "../store/user.ts";

/** What a user is given: ids of roles and, beside them, of rules. Both replace what there was. */
interface Grants {
  roles?: number[] | undefined;
  rules?: number[] | undefined;
}

/** Makes a user with these roles and rules. */
export async function createUser(
  { tx, emit }: Change,
  { roles = [], rules = [], ...values }: NewUser & Grants,
): Promise<UserRow> {
  const row = await store.insertUser(tx, values, { roles, rules });
  emit("user.changed", { user_id: row.id, organization_id: row.organization_id });
  return row;
}

/**
 * Changes what is given; 404 when there is no such user, 400 when nobody would be left who can
 * administer the hub. Other roles and rules are in force from the next request on, with the log-ins
 * there are: these end for whoever comes to another organization. A new address ends the recoveries
 * that were sent to the old one; a new password ends both.
 */
export async function updateUser(
  { tx, emit }: Change,
  id: number,
  { roles, rules, ...values }: UserValues & Grants,
  forced: Forced = {},
): Promise<UserRow> {
  const before = found(await store.lockUser(tx, id), "user", id);
  const row = await store.updateUser(tx, id, values);
  if (row.email !== before.email) await deleteResetTokens(tx, id);
  if (roles || rules) {
    await keepAdministrator(tx, forced, async function setGrants() {
      if (roles) await store.setRolesOfUser(tx, id, roles);
      if (rules) await store.setRulesOfUser(tx, id, rules);
    });
  }
  const moved = row.organization_id !== before.organization_id;
  if (values.password_hash !== undefined) await endEarlierProofs(tx, id);
  else if (moved) await deleteSessions(tx, "user", [id]);
  emit("user.changed", { user_id: id, organization_id: row.organization_id });
  return row;
}

/**
 * Deletes a user, who is logged out; 400 when nobody would be left who can administer the hub.
 * Tasks of theirs go when the task service hears of it.
 */
export async function removeUser(
  { tx, emit }: Change,
  id: number,
  forced: Forced = {},
): Promise<void> {
  const { organization_id } = found(await store.lockUser(tx, id), "user", id);
  await deleteSessions(tx, "user", [id]);
  await keepAdministrator(tx, forced, () => store.deleteUser(tx, id));
  emit("user.deleted", { user_id: id, organization_id });
}

/** Sets another password. All log-ins end, but for the session `sparing`. */
export async function changePassword(
  change: Change,
  id: number,
  hash: string,
  { sparing }: { sparing?: string | undefined } = {},
): Promise<void> {
  await setPasswordHash(change.tx, id, hash);
  await endEarlierProofs(change.tx, id, { sparing });
  await tellOfUser(change, id);
}

/** Ends all log-ins of a user but for the session `sparing`. */
export async function endSessions(
  change: Change,
  id: number,
  { sparing }: { sparing: string | undefined },
): Promise<void> {
  await deleteSessions(change.tx, "user", [id], { sparing });
  await tellOfUser(change, id);
}

/**
 * Sets another second factor, given as it is sealed; with null the next log-in sets one up. All
 * log-ins end, but for the session `sparing`.
 */
export async function resetSecondFactor(
  change: Change,
  id: number,
  secret: string | null,
  { sparing }: { sparing?: string | undefined } = {},
): Promise<UserRow> {
  await setOtpSecret(change.tx, id, secret);
  await endEarlierProofs(change.tx, id, { sparing });
  return await tellOfUser(change, id);
}

async function tellOfUser({ tx, emit }: Change, id: number): Promise<UserRow> {
  const row = found(await store.userById(tx, id), "user", id);
  emit("user.changed", { user_id: id, organization_id: row.organization_id });
  return row;
}

/**
 * What every new proof of identity entails: failures are forgotten, old log-ins and open recoveries
 * end.
 */
async function endEarlierProofs(
  tx: Tx,
  id: number,
  { sparing }: { sparing?: string | undefined } = {},
): Promise<void> {
  await clearFailures(tx, id);
  await deleteResetTokens(tx, id);
  await deleteSessions(tx, "user", [id], { sparing });
}
