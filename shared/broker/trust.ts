/**
 * The chain of trust of the broker: operator → accounts → users, as nkeys and signed claims (JWT).
 *
 * One account holds all of Sextant, one is nats-server's own. Services get credentials from a plain
 * signing key, nodes from a scoped one: whoever stole that could make nodes, and nothing more.
 * @module
 */
import { createAccount, createOperator } from "@nats-io/nkeys";
import {
  type Account,
  encodeAccount,
  encodeOperator,
  encodeUser,
  newScopedSigner,
  type User,
} from "@nats-io/jwt";
import { z } from "zod";
import {
  type BrokerRights,
  enrolmentRights,
  nodeRights,
  serviceRights,
  systemRights,
  type SystemService,
} from "./rights.ts";
import { SextantError } from "../service/errors.ts";
import type { NodeIssuers } from "../node_protocol/credential.ts";
import { MAX_PAYLOAD } from "./limits.ts";
import { isUserPublicKey, keyPair } from "./signing.ts";
import { type ServiceName, token } from "./subjects.ts";

/**
 * All secrets of the broker, and the claims made once from them. JSON; whoever reads it is the
 * operator. Seeds are nkey text. The claims are kept because signing them anew would undo
 * withdrawals (see `withdrawals.ts`).
 */
export const trustSchema = z.object({
  operator: z.string(),
  system: z.string(),
  app: z.string(),
  serviceSigner: z.string(),
  nodeSigner: z.string(),
  operatorJwt: z.string(),
  systemJwt: z.string(),
  appJwt: z.string(),
});
export type Trust = z.infer<typeof trustSchema>;

/** A credential that a service or node connects with, beside its own seed. */
export interface IssuedCredential {
  jwt: string;
  expiresAt: Date;
}

const NODE_SUBSCRIPTIONS = 32;
/** What a service enrols with ends, so that an old copy of it is good for nothing. */
export const ENROLMENT_SECONDS = 400 * 86_400;
const NO_LIMITS = {
  conn: -1,
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  leaf: -1,
};
// The server's own limits hold. A limit here above the server's would silently switch JetStream
// off.
const STORAGE_LIMITS = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

const publicOf = (seed: string) => keyPair(seed).getPublicKey();

/** Makes new keys and claims: once in the life of an installation. */
export async function newTrust(): Promise<Trust> {
  const seed = (pair: { getSeed(): Uint8Array }) => new TextDecoder().decode(pair.getSeed());
  const seeds = {
    operator: seed(createOperator()),
    system: seed(createAccount()),
    app: seed(createAccount()),
    serviceSigner: seed(createAccount()),
    nodeSigner: seed(createAccount()),
  };
  const signer = keyPair(seeds.operator);
  return {
    ...seeds,
    operatorJwt: await encodeOperator("sextant", signer, {
      system_account: publicOf(seeds.system),
    }),
    systemJwt: await encodeAccount("system", keyPair(seeds.system), { limits: NO_LIMITS }, {
      signer,
    }),
    appJwt: await encodeAppAccount(seeds, {}),
  };
}

type Seeds = Pick<Trust, "operator" | "app" | "serviceSigner" | "nodeSigner">;
/** Public user key → unix time in seconds; credentials for it issued until then are refused. */
type Revocations = Record<string, number>;

/**
 * The claims of the account that all of Sextant is in, with those whose credentials are withdrawn.
 */
export function encodeAppAccount(seeds: Seeds, revocations: Revocations): Promise<string> {
  const scope = newScopedSigner(keyPair(seeds.nodeSigner), "node", {
    ...nodeRights("{{name()}}"),
    subs: NODE_SUBSCRIPTIONS,
    payload: MAX_PAYLOAD,
    data: -1,
    allowed_connection_types: ["WEBSOCKET"],
  });
  const account: Partial<Account> = {
    limits: { ...NO_LIMITS, ...STORAGE_LIMITS },
    signing_keys: [publicOf(seeds.serviceSigner), scope],
    revocations,
  };
  return encodeAccount("sextant", keyPair(seeds.app), account, { signer: keyPair(seeds.operator) });
}

/** The two public keys by which a node's credential is recognised. */
export function nodeIssuers(trust: Trust): NodeIssuers {
  return { appAccountPublic: publicOf(trust.app), nodeSignerPublic: publicOf(trust.nodeSigner) };
}

/** The public key of nats-server's own account. */
export function systemAccount(trust: Trust): string {
  return publicOf(trust.system);
}

/**
 * The account that all of Sextant is in; part of the subjects on which the server tells of
 * connections.
 */
export function appAccount(trust: Trust): string {
  return publicOf(trust.app);
}

async function issue(
  name: string,
  publicKey: string,
  signer: string,
  account: string,
  rights: BrokerRights | undefined,
  ttlSeconds: number,
): Promise<IssuedCredential> {
  if (!isUserPublicKey(publicKey)) {
    throw new SextantError("invalid_request", "public_key: this is not the public key of a user");
  }
  const exp = Math.floor(Date.now() / 1000) + ttlSeconds;
  const claims: Partial<User> = signer === account ? {} : { issuer_account: publicOf(account) };
  if (rights) Object.assign(claims, rights, { allowed_connection_types: ["WEBSOCKET"] });
  const jwt = await encodeUser(name, publicKey, keyPair(signer), claims, {
    exp,
    scopedUser: rights === undefined,
  });
  return { jwt, expiresAt: new Date(exp * 1000) };
}

/**
 * A service's own credential. `publicKey` is an nkey user key whose seed only the service holds.
 */
export function issueServiceCredential(
  trust: Trust,
  service: ServiceName,
  publicKey: string,
  ttlSeconds: number,
): Promise<IssuedCredential> {
  const rights = serviceRights(service);
  return issue(service, publicKey, trust.serviceSigner, trust.app, rights, ttlSeconds);
}

/**
 * A credential with which a service may only ask for its own credential. It is good for 400 days;
 * the set-up renews it.
 */
export function issueEnrolmentCredential(
  trust: Trust,
  service: ServiceName,
  publicKey: string,
  ttl: number = ENROLMENT_SECONDS,
): Promise<IssuedCredential> {
  const rights = enrolmentRights(service);
  return issue(`enrol-${service}`, publicKey, trust.serviceSigner, trust.app, rights, ttl);
}

/** A credential in the server's own account. */
export function issueSystemCredential(
  trust: Trust,
  service: SystemService,
  publicKey: string,
  ttlSeconds: number,
): Promise<IssuedCredential> {
  const rights = systemRights(service, publicOf(trust.app));
  return issue(`${service}-system`, publicKey, trust.system, trust.system, rights, ttlSeconds);
}

/**
 * A node's credential. Its rights follow from its name, the node's id, by the scoped signing key's
 * template.
 */
export function issueNodeCredential(
  trust: Trust,
  node: number,
  publicKey: string,
  ttlSeconds: number,
): Promise<IssuedCredential> {
  return issue(token(node), publicKey, trust.nodeSigner, trust.app, undefined, ttlSeconds);
}
