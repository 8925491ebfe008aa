/**
 * The SQL of refresh tokens. Each log-in starts a chain; each refresh adds a link and spends the
 * one before.
 * @module
 */
import type { Tx } from "../../../shared/storage/db.ts";

export interface RefreshToken {
  jti: string;
  chain: string;
  client_type: "user" | "node";
  client_id: number;
  /** The access token that was issued with it. */
  access_jti: string;
  expires_at: Date;
}

export async function insertRefreshToken(tx: Tx, token: RefreshToken): Promise<void> {
  await tx`insert into refresh_token ${tx({ ...token })}`;
}

/**
 * Spends a refresh token: returns its chain, once, and again within `graceSeconds` for a client
 * that did not get the answer. It stays locked until its successor is written in the same
 * transaction: whoever ends the log-in meanwhile waits for both. Later the token can only have been
 * stolen, from or by whoever uses it now: the whole chain is revoked.
 */
export async function spendRefreshToken(
  tx: Tx,
  { jti, at, graceSeconds }: { jti: string; at: Date; graceSeconds: number },
): Promise<string | "reused" | undefined> {
  const [row] = await tx<{ chain: string; used_at: Date | null }[]>`
    select chain, used_at from refresh_token where jti = ${jti} for update`;
  if (!row) return undefined;
  if (row.used_at === null) {
    await tx`update refresh_token set used_at = ${at} where jti = ${jti}`;
  } else if (at.getTime() - row.used_at.getTime() > graceSeconds * 1000) {
    await deleteChain(tx, row.chain);
    return "reused";
  }
  return row.chain;
}

/**
 * Deletes until nothing is left. A refresh that is under way holds the token it spends: a deletion
 * waits for that one, but does not see the one that came in its place. The next does.
 */
async function deleteAll(remove: () => Promise<{ count: number }>): Promise<void> {
  while ((await remove()).count > 0);
}

async function deleteChain(tx: Tx, chain: string): Promise<void> {
  await deleteAll(async () => await tx`delete from refresh_token where chain = ${chain}`);
}

/** Ends the log-in that a refresh token descends from. */
export async function endSession(tx: Tx, jti: string): Promise<void> {
  const [row] = await tx<{ chain: string }[]>`
    select chain from refresh_token where jti = ${jti}`;
  if (row) await deleteChain(tx, row.chain);
}

/** Revokes every refresh token of these users or nodes. */
export async function deleteRefreshTokens(
  tx: Tx,
  clientType: RefreshToken["client_type"],
  clientIds: number[],
): Promise<void> {
  await deleteAll(async () =>
    await tx`
      delete from refresh_token where client_type = ${clientType} and client_id = any(${clientIds})`
  );
}

/**
 * Revokes the refresh tokens of a user, but not those of the log-in that an access token came from.
 */
export async function endOtherSessions(tx: Tx, userId: number, accessJti: string): Promise<void> {
  await deleteAll(async () =>
    await tx`
      delete from refresh_token where client_type = 'user' and client_id = ${userId}
        and chain not in (
          select chain from refresh_token
          where client_type = 'user' and client_id = ${userId} and access_jti = ${accessJti})`
  );
}

export async function deleteExpiredRefreshTokens(tx: Tx, now: Date): Promise<void> {
  await tx`delete from refresh_token where expires_at < ${now}`;
}

/** Revokes the refresh tokens that nodes were given until a moment. */
export async function deleteNodeTokens(tx: Tx, nodeIds: number[], until: Date): Promise<void> {
  await tx`
    delete from refresh_token
    where client_type = 'node' and client_id = any(${nodeIds}) and issued_at <= ${until}`;
}
