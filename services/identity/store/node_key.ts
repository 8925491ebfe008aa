/**
 * The SQL of the broker keys that nodes were given credentials for: what is withdrawn to shut a node
 * out, and what the broker's list of withdrawals has to hold.
 *
 * A key is live from its last credential until that ends or is withdrawn.
 * @module
 */
import type { Fragment, Tx } from "../../../shared/storage/db.ts";

const isLive = (tx: Tx, at: Date): Fragment =>
  tx`expires_at > ${at} and (withdrawn_at is null or issued_at > withdrawn_at)`;

/** Makes others wait who also want to know how many keys of this node are live. */
export async function lockNodeKeys(tx: Tx, nodeId: number): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtext('sextant.node_keys'), ${nodeId})`;
}

/** The live keys of a node, the longest unchanged first. */
export async function liveKeys(tx: Tx, nodeId: number, at: Date): Promise<string[]> {
  const rows = await tx<{ public_key: string }[]>`
    select public_key from node_broker_key where node_id = ${nodeId} and ${isLive(tx, at)}
    order by issued_at, public_key`;
  return rows.map((row) => row.public_key);
}

/**
 * A credential for this key is about to be issued; false when it is another node's key. One that was
 * withdrawn before stays so.
 */
export async function rememberBrokerKey(
  tx: Tx,
  { nodeId, publicKey, at, expiresAt }: {
    nodeId: number;
    publicKey: string;
    at: Date;
    expiresAt: Date;
  },
): Promise<boolean> {
  const rows = await tx`
    insert into node_broker_key (node_id, public_key, issued_at, expires_at)
    values (${nodeId}, ${publicKey}, ${at}, ${expiresAt})
    on conflict (public_key) do update
      set issued_at = excluded.issued_at,
        expires_at = greatest(node_broker_key.expires_at, excluded.expires_at)
      where node_broker_key.node_id = excluded.node_id
    returning node_id`;
  return rows.length > 0;
}

/** Whose credentials end: all of a node that were issued until a moment, or those of one key. */
export interface Gone {
  node_id: number;
  until: Date;
  public_key?: string;
}

/** The live keys among these. */
export async function liveKeysOf(tx: Tx, gone: readonly Gone[], at: Date): Promise<string[]> {
  const rows = await tx<{ public_key: string }[]>`
    select distinct key.public_key
    from jsonb_to_recordset(${tx.json(gone.map((one) => ({ ...one })))})
      as gone(node_id integer, until timestamptz, public_key text)
    join node_broker_key as key on key.node_id = gone.node_id and key.issued_at <= gone.until
      and key.public_key = coalesce(gone.public_key, key.public_key)
    where ${isLive(tx, at)}`;
  return rows.map((row) => row.public_key);
}

/** The credentials for these keys that were issued until now are withdrawn. */
export async function withdrawKeys(tx: Tx, publicKeys: string[], at: Date): Promise<void> {
  await tx`update node_broker_key set withdrawn_at = ${at} where public_key = any(${publicKeys})`;
}

/** What the broker's list has to hold: keys, and when they were withdrawn. */
export async function withdrawnKeys(tx: Tx, at: Date): Promise<Map<string, Date>> {
  const rows = await tx<{ public_key: string; withdrawn_at: Date }[]>`
    select public_key, withdrawn_at from node_broker_key
    where withdrawn_at is not null and expires_at > ${at}`;
  return new Map(rows.map((row) => [row.public_key, row.withdrawn_at]));
}

/** Forgets keys of which the last credential has ended; returns those that had been withdrawn. */
export async function forgetEndedKeys(tx: Tx, at: Date): Promise<string[]> {
  const rows = await tx<{ public_key: string; withdrawn_at: Date | null }[]>`
    delete from node_broker_key where expires_at <= ${at} returning public_key, withdrawn_at`;
  return rows.filter((row) => row.withdrawn_at !== null).map((row) => row.public_key);
}
