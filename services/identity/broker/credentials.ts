/**
 * Broker credentials: identity alone can sign them. Private keys stay with their holders.
 *
 * A node has a few at most: whoever has its API key could otherwise have any number, and each of
 * them has to be withdrawn when the key is reset. Each is signed while the node's access is locked:
 * who shuts the node out comes before, and it is not given, or after, and withdraws it.
 * @module
 */
import type { SignedAddress } from "../../../shared/node_protocol/broker_address.ts";
import { isUserPublicKey } from "../../../shared/broker/signing.ts";
import {
  type IssuedCredential,
  issueNodeCredential,
  nodeIssuers,
  type Trust,
} from "../../../shared/broker/trust.ts";
import type { Ask } from "../../../shared/messages/questions.ts";
import type { NodeIssuers } from "../../../shared/node_protocol/credential.ts";
import type { BrokerCredential } from "../../../shared/node_protocol/log_in.ts";
import { NODE_PROTOCOL } from "../../../shared/node_protocol/reports.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { type Bucket, createRateLimiter } from "../../../shared/service/rate_limiter.ts";
import type { Db } from "../../../shared/storage/db.ts";
import { liveKeys, lockNodeAccess, rememberBrokerKey } from "../store/node_key.ts";
import type { Withdrawal } from "./withdrawal.ts";

export interface BrokerDesk extends Withdrawal {
  /** The public keys by which a node's credential is recognised. */
  issuers: NodeIssuers;
  /**
   * Throws `unauthenticated` when the API key of this generation is not the node's any more, and
   * `too_many_requests` when the node has as many as it may have, or asks too often.
   */
  nodeCredential(
    node: { id: number; key_generation: number },
    publicKey: string,
  ): Promise<BrokerCredential>;
}

export interface BrokerDeskOptions {
  db: Db;
  trust: Trust;
  withdrawal: Withdrawal;
  ask: Ask;
  nodeNatsUrl: string;
  dispatchKeys: string[];
  credentialSeconds: number;
  now: () => Date;
}

/** Key pairs of one node with a live credential. Each start of an agent makes one. */
export const MOST_LIVE = 4;
/** How often somebody else may come in between. */
const ATTEMPTS = 5;

export function createBrokerDesk(
  { db, trust, withdrawal, ask, nodeNatsUrl, dispatchKeys, credentialSeconds, now }:
    BrokerDeskOptions,
): BrokerDesk {
  const rates = credentialRates(credentialSeconds);
  const clock = () => now().getTime();
  const firsts = createRateLimiter({ ...rates.firsts, now: clock });
  const renewals = createRateLimiter({ ...rates.renewals, now: clock });

  /** Issues a credential, and so takes a place for its key; or returns those that have them all. */
  function takePlace(
    { id: nodeId, key_generation: generation }: { id: number; key_generation: number },
    publicKey: string,
  ): Promise<{ issued: IssuedCredential } | { live: string[] }> {
    return db.begin(async (tx) => {
      const access = await lockNodeAccess(tx, nodeId);
      if (access.gone || generation < access.least_generation) throw keyEnded();
      const at = now();
      const live = await liveKeys(tx, nodeId, at);
      if (live.length >= MOST_LIVE && !live.includes(publicKey)) return { live };
      const expiresAt = new Date(at.getTime() + credentialSeconds * 1000);
      const issued = await issueNodeCredential(trust, nodeId, publicKey, credentialSeconds);
      const remembered = { nodeId, publicKey, generation, expiresAt };
      // Looked at again: the credential says when it was signed, and a withdrawal must not be
      // earlier.
      if (await rememberBrokerKey(tx, { ...remembered, at: now() })) return { issued };
      throw new SextantError("conflict", "This public key is another node's; make a new one.");
    });
  }

  /**
   * Withdraws the credential of an agent that is gone: the longest unchanged without a connection.
   */
  async function makePlace(nodeId: number, live: string[]): Promise<void> {
    const connections = await ask("collaboration", "node_connections", { node_id: nodeId });
    const connected = new Set(connections.map((one) => one.public_key));
    const gone = live.find((key) => !connected.has(key));
    if (gone) {
      return await withdrawal.withdraw([{ node_id: nodeId, public_key: gone, until: now() }]);
    }
    throw new SextantError(
      "too_many_requests",
      `Node ${nodeId} has ${MOST_LIVE} broker credentials in use, which is the most. Stop the ` +
        "other agents that run with its API key; if they are not yours, reset the key.",
    );
  }

  async function demandRate(nodeId: number, publicKey: string): Promise<void> {
    const known = (await liveKeys(db, nodeId, now())).includes(publicKey);
    const wait = known ? renewals.take(`${nodeId} ${publicKey}`) : firsts.take(String(nodeId));
    if (wait === 0) return;
    throw new SextantError(
      "too_many_requests",
      `Node ${nodeId} asks for broker credentials too often; try again in ${wait} seconds.`,
    );
  }

  async function issue(
    node: { id: number; key_generation: number },
    publicKey: string,
  ): Promise<IssuedCredential> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const taken = await takePlace(node, publicKey);
      if ("issued" in taken) return taken.issued;
      await makePlace(node.id, taken.live);
    }
    throw new SextantError(
      "too_many_requests",
      `Too many agents start as node ${node.id} at once.`,
    );
  }

  const signedAddress = keepSignedAddress({ ask, nodeNatsUrl, clock });

  return {
    ...withdrawal,
    issuers: nodeIssuers(trust),
    async nodeCredential(node, publicKey) {
      if (!isUserPublicKey(publicKey)) {
        throw new SextantError("invalid_request", "public_key: this is no user's public key");
      }
      await demandRate(node.id, publicKey);
      const issued = await issue(node, publicKey);
      return {
        jwt: issued.jwt,
        expires_at: issued.expiresAt.toISOString(),
        nats_url: nodeNatsUrl,
        nats_url_signed: signedAddress(),
        dispatch_keys: dispatchKeys,
        service: "sextant",
        protocol: NODE_PROTOCOL,
      };
    },
  };
}

/**
 * Returns the broker's address as task signed it within the hour. Nobody waits for that: a node
 * whose broker has moved asks again, and its own address every other node knows.
 */
function keepSignedAddress(
  { ask, nodeNatsUrl, clock }: Pick<BrokerDeskOptions, "ask" | "nodeNatsUrl"> & {
    clock: () => number;
  },
): () => SignedAddress | undefined {
  let address: { signed: SignedAddress; at: number } | undefined;
  let asking = false;
  function signedAddress(): SignedAddress | undefined {
    if (!asking && (!address || clock() - address.at > ADDRESS_EVERY_MS)) {
      asking = true;
      ask("task", "broker_address", { nats_url: nodeNatsUrl })
        .then((signed) => address = { signed, at: clock() }, () => {})
        .finally(() => asking = false);
    }
    return address?.signed;
  }
  signedAddress();
  return signedAddress;
}

/** A signed address is good for a day. */
const ADDRESS_EVERY_MS = 3_600_000;

function keyEnded(): SextantError {
  return new SextantError(
    "unauthenticated",
    "The node has a new API key since, or does not exist any more; log in with its key.",
  );
}

/**
 * How often a node may ask with a new key, and with one that it has. An agent asks at its start, at
 * half of each credential's time, and, while it is not let in, after a tenth of that or half a
 * minute; where credentials are short, all of this is quicker.
 */
export function credentialRates(
  credentialSeconds: number,
): { firsts: Bucket; renewals: Bucket } {
  return {
    firsts: { burst: 10, perMinute: 60 / Math.min(60, credentialSeconds / 60) },
    renewals: { burst: 10, perMinute: 60 / Math.min(10, credentialSeconds / 40) },
  };
}
