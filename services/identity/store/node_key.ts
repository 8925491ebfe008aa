/**
 * The SQL of the broker keys that nodes were given credentials for: what is revoked to shut a node
 * out.
 * @module
 */
import type { Tx } from "../../../shared/storage/db.ts";

export async function rememberBrokerKey(
  tx: Tx,
  nodeId: number,
  publicKey: string,
  at: Date,
): Promise<void> {
  await tx`
    insert into node_broker_key (node_id, public_key, issued_at) values (${nodeId}, ${publicKey}, ${at})
    on conflict (node_id, public_key) do update set issued_at = excluded.issued_at`;
}

export async function brokerKeysOfNode(
  tx: Tx,
  nodeId: number,
  issuedUntil: Date,
): Promise<string[]> {
  const rows = await tx<{ public_key: string }[]>`
    select public_key from node_broker_key
    where node_id = ${nodeId} and issued_at <= ${issuedUntil}`;
  return rows.map((row) => row.public_key);
}

export async function forgetBrokerKeys(tx: Tx, publicKeys: string[]): Promise<void> {
  await tx`delete from node_broker_key where public_key = any(${publicKeys})`;
}
