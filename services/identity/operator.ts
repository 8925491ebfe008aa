/**
 * What the shell may do to identity's data: the changes that the routes make, without the checks of
 * who may make them. Locks, what follows and what is told are the same. Each takes the transaction
 * of the change first; what is left out of an update stays as it is; what does not exist is an
 * error `not_found`.
 *
 * What depends on it in other services goes when these hear of it. What would leave nobody who can
 * administer the hub is refused unless `force` is given with it.
 *
 * @example
 * ```ts
 * await outbox.change((change) => updateUser(change, 3, { roles: [1], password: "…" }));
 * ```
 * @module
 */
import { whyNoPublicKey } from "../../shared/contract/public_key.ts";
import { SextantError } from "../../shared/service/errors.ts";
import type { Change } from "../../shared/storage/outbox.ts";
import { hashPassword } from "./accounts/passwords.ts";
import type { Forced } from "./changes/administrator.ts";
import * as organizations from "./changes/organization.ts";
import * as changes from "./changes/user.ts";
import type { NewUser, UserRow, UserValues } from "./store/user.ts";

export { removeOrganization } from "./changes/organization.ts";
export { createRole, removeRole, updateRole } from "./changes/role.ts";
export { withdrawSigningKeys } from "./changes/signing_key.ts";
export { removeUser } from "./changes/user.ts";
export { NobodyLeft, requireAdministrator } from "./changes/administrator.ts";
export { administrators } from "./store/administrator.ts";

/** Makes an organization. Rejects for a public key that is a private one, or none for RSA. */
export const createOrganization: typeof organizations.createOrganization = async (
  change,
  values,
) => {
  demandPublicKey(values.public_key);
  return await organizations.createOrganization(change, values);
};

/** Changes an organization. Rejects for a public key that is a private one, or none for RSA. */
export const updateOrganization: typeof organizations.updateOrganization = async (
  change,
  id,
  values,
) => {
  demandPublicKey(values.public_key);
  return await organizations.updateOrganization(change, id, values);
};

function demandPublicKey(text: string | undefined): void {
  const why = text === undefined ? undefined : whyNoPublicKey(text);
  if (why) throw new SextantError("invalid_request", `Cannot set this public key: ${why}.`);
}

interface Given {
  /** Ids; with `rules` what the user may do. */
  roles?: number[] | undefined;
  /** Ids of rules besides those of the roles. */
  rules?: number[] | undefined;
}

/** Makes a user; of the password only a hash is stored. */
export async function createUser(
  change: Change,
  { password, ...values }: Omit<NewUser, "password_hash"> & { password: string } & Given,
): Promise<UserRow> {
  return await changes.createUser(change, {
    ...values,
    password_hash: await hashPassword(password),
  });
}

/**
 * Changes a user. A new password ends every log-in and recovery; another organization, every
 * log-in; `failed_login_attempts: 0` opens a locked account.
 */
export async function updateUser(
  change: Change,
  id: number,
  { password, ...values }: Omit<UserValues, "password_hash" | "recoverable"> & Given & {
    password?: string | undefined;
  },
  forced: Forced = {},
): Promise<UserRow> {
  const password_hash = password === undefined ? undefined : await hashPassword(password);
  // An address that the operator sets is trusted with recovery mail.
  const recoverable = values.email === undefined ? undefined : true;
  return await changes.updateUser(change, id, { ...values, recoverable, password_hash }, forced);
}

/**
 * Takes the second factor away: the user sets a new one up at the next log-in, and every log-in
 * ends.
 */
export async function removeSecondFactor(change: Change, id: number): Promise<void> {
  await changes.resetSecondFactor(change, id, null);
}
