/**
 * Broker credentials: identity alone can sign them. Private keys stay with their holders.
 * @module
 */
import type { BrokerConnection } from "../../../shared/broker/connection.ts";
import {
  issueNodeCredential,
  nodeIssuers,
  revokeNode,
  type Trust,
} from "../../../shared/broker/trust.ts";
import type { Db } from "../../../shared/storage/db.ts";
import type { NodeIssuers } from "../../../shared/node_protocol/credential.ts";
import type { BrokerCredential } from "../../../shared/node_protocol/log_in.ts";
import { brokerKeysOfNode, forgetBrokerKeys, rememberBrokerKey } from "../store/node_key.ts";

export interface BrokerDesk {
  /** The public keys by which a node's credential is recognised. */
  issuers: NodeIssuers;
  nodeCredential(nodeId: number, publicKey: string): Promise<BrokerCredential>;
  /**
   * Closes the node's connections and refuses the credentials issued until then; a new one lets it
   * in again.
   */
  shutOut(nodeId: number, issuedUntil: Date): Promise<void>;
}

export interface BrokerDeskOptions {
  db: Db;
  trust: Trust;
  /** identity's connection to the broker's system account. */
  system: BrokerConnection;
  nodeNatsUrl: string;
  dispatchKeys: string[];
  credentialSeconds: number;
  now: () => Date;
}

export function createBrokerDesk(
  { db, trust, system, nodeNatsUrl, dispatchKeys, credentialSeconds, now }: BrokerDeskOptions,
): BrokerDesk {
  return {
    issuers: nodeIssuers(trust),
    async nodeCredential(nodeId, publicKey) {
      await rememberBrokerKey(db, nodeId, publicKey, now());
      const issued = await issueNodeCredential(trust, nodeId, publicKey, credentialSeconds);
      return {
        jwt: issued.jwt,
        expires_at: issued.expiresAt.toISOString(),
        nats_url: nodeNatsUrl,
        dispatch_keys: dispatchKeys,
        service: "sextant",
      };
    },
    async shutOut(nodeId, issuedUntil) {
      await db.begin(async (tx) => {
        // A revocation reads the account's claims and writes them: two at once would lose one.
        await tx`select pg_advisory_xact_lock(hashtext('sextant.revocations'))`;
        const publicKeys = await brokerKeysOfNode(tx, nodeId, issuedUntil);
        for (const publicKey of publicKeys) await revokeNode(system, trust, publicKey);
        await forgetBrokerKeys(tx, publicKeys);
      });
    },
  };
}
