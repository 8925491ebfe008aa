/**
 * Ending what users are logged in with, as the API does when their password or their rights change.
 * @module
 */
import type { Tx } from "../../../shared/storage/db.ts";
import { deleteRefreshTokens } from "../../identity/store/session.ts";

/** No refresh token and no recovery mail of these users works any more. */
export async function endSessions(tx: Tx, userIds: number[]): Promise<void> {
  await deleteRefreshTokens(tx, "user", userIds);
  await tx`delete from reset_token where user_id = any(${userIds})`;
}

/** The same for all who have a role. */
export async function endSessionsOfRole(tx: Tx, roleId: number): Promise<void> {
  const users = await tx<{ user_id: number }[]>`
    select user_id from user_role where role_id = ${roleId}`;
  await endSessions(tx, users.map((one) => one.user_id));
}
