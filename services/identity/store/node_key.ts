/**
 * The SQL of the broker keys that nodes were given credentials for: what is withdrawn to shut a
 * node out, and what the broker's list of withdrawals has to hold.
 *
 * A key is live from its last credential until that ends or is withdrawn. Who gives a credential
 * and who shuts the node out both lock the node's row of `node_access` first: what was given before
 * is seen by the one who shuts out, and after that nothing is given. Which of two came first is
 * told by the generations of the node's API keys, never by the time.
 * @module
 */
import type { Fragment, Tx } from "../../../shared/storage/db.ts";

const isLive = (tx: Tx, at: Date): Fragment =>
  tx`expires_at > ${at} and (withdrawn_at is null or issued_at > withdrawn_at)`;

export interface NodeAccess {
  /** What was given for an API key of an earlier generation is not good. */
  least_generation: number;
  gone: boolean;
}

/**
 * Makes others wait who give this node a credential, or shut it out. Returns which of its API keys
 * are good.
 */
export async function lockNodeAccess(tx: Tx, nodeId: number): Promise<NodeAccess> {
  const [row] = await tx<NodeAccess[]>`
    insert into node_access (node_id) values (${nodeId})
    on conflict (node_id) do update set node_id = excluded.node_id
    returning least_generation, gone_at is not null as gone`;
  return row!;
}

/** What of a node ends: all that it had by API keys before this generation; null: by any key. */
export interface Ended {
  node_id: number;
  least_generation: number | null;
}

/**
 * From here on these nodes are given nothing for the keys that ended. A late call changes nothing.
 */
export async function endAccess(tx: Tx, ended: readonly Ended[], at: Date): Promise<void> {
  await tx`
    insert into node_access (node_id, least_generation, gone_at)
    select node_id, coalesce(least_generation, 0),
      case when least_generation is null then ${at}::timestamptz end
    from jsonb_to_recordset(${tx.json(ended.map((one) => ({ ...one })))})
      as ended(node_id integer, least_generation integer)
    order by node_id
    on conflict (node_id) do update set
      least_generation = greatest(node_access.least_generation, excluded.least_generation),
      gone_at = coalesce(node_access.gone_at, excluded.gone_at)`;
}

/** Forgets nodes that have been gone for so long that no request of theirs is under way. */
export async function forgetGoneNodes(tx: Tx, before: Date): Promise<void> {
  await tx`delete from node_access where gone_at < ${before}`;
}

/** The live keys of a node, the longest unchanged first. */
export async function liveKeys(tx: Tx, nodeId: number, at: Date): Promise<string[]> {
  const rows = await tx<{ public_key: string }[]>`
    select public_key from node_broker_key where node_id = ${nodeId} and ${isLive(tx, at)}
    order by issued_at, public_key`;
  return rows.map((row) => row.public_key);
}

/**
 * A credential for this key is about to be issued; false when it is another node's key. One that
 * was withdrawn before stays so.
 */
export async function rememberBrokerKey(
  tx: Tx,
  { nodeId, publicKey, generation, at, expiresAt }: {
    nodeId: number;
    publicKey: string;
    /** Of the node's API key. */
    generation: number;
    at: Date;
    expiresAt: Date;
  },
): Promise<boolean> {
  const rows = await tx`
    insert into node_broker_key (node_id, public_key, key_generation, issued_at, expires_at)
    values (${nodeId}, ${publicKey}, ${generation}, ${at}, ${expiresAt})
    on conflict (public_key) do update
      set issued_at = greatest(node_broker_key.issued_at, excluded.issued_at),
        key_generation = excluded.key_generation,
        expires_at = greatest(node_broker_key.expires_at, excluded.expires_at)
      where node_broker_key.node_id = excluded.node_id
    returning node_id`;
  return rows.length > 0;
}

/**
 * Whose credentials end: all that a node had by API keys that ended, or those for one public key
 * that were issued until a moment.
 */
export type Gone = Ended | { node_id: number; public_key: string; until: Date };

/** The live keys among these. */
export async function liveKeysOf(tx: Tx, gone: readonly Gone[], at: Date): Promise<string[]> {
  const rows = await tx<{ public_key: string }[]>`
    select distinct key.public_key
    from jsonb_to_recordset(${tx.json(gone.map((one) => ({ ...one })))})
      as gone(node_id integer, least_generation integer, until timestamptz, public_key text)
    join node_broker_key as key on key.node_id = gone.node_id and case
      when gone.public_key is null
        then gone.least_generation is null or key.key_generation < gone.least_generation
      else key.public_key = gone.public_key and key.issued_at <= gone.until end
    where ${isLive(tx, at)}`;
  return rows.map((row) => row.public_key);
}

/**
 * The credentials for these keys that were issued until now are withdrawn, also those of a replica
 * whose clock is ahead.
 */
export async function withdrawKeys(tx: Tx, publicKeys: string[], at: Date): Promise<void> {
  await tx`
    update node_broker_key set withdrawn_at = greatest(issued_at, ${at})
    where public_key = any(${publicKeys})`;
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
