/**
 * How a node logs in over HTTP, `POST /token/node`, and gets its broker credential, `POST
 * /token/broker`.
 * @module
 */
import { z } from "zod";
import { signedAddressSchema } from "./broker_address.ts";
import { nullAsAbsent } from "../contract/fields.ts";

/** What a node logs in with. */
export const nodeLogInRequest = z.object({
  api_key: z.uuid("must be a UUID"),
  /** Beyond v6's API: the formats of encrypted payloads that the agent reads; else v6's alone. */
  payload_formats: nullAsAbsent(z.array(z.string().regex(/^[a-z0-9_-]{1,32}$/)).max(16)),
});
export type NodeLogInRequest = z.input<typeof nodeLogInRequest>;

/** What of the answer the agent reads. */
export const nodeLogInAnswer = z.object({ access_token: z.string() });

/**
 * Beyond v6's API: a node asks for the right to speak on the broker, bound to a key pair that only
 * it has.
 */
export const brokerCredentialRequest = z.object({
  public_key: z.string().regex(/^U[A-Z2-7]{55}$/, "must be the public part of a user nkey"),
  /** `NODE_PROTOCOL` of the agent; those before 3 do not tell. */
  protocol: z.int32().min(0).default(2),
});
export type BrokerCredentialRequest = z.input<typeof brokerCredentialRequest>;

export const brokerCredentialSchema = z.object({
  /** The broker's user JWT. */
  jwt: z.string(),
  /** ISO 8601. */
  expires_at: z.string(),
  nats_url: z.string(),
  /** The same, signed with a dispatch key; not told by hubs of the version before. */
  nats_url_signed: signedAddressSchema.optional().catch(undefined),
  /** The public keys with which the hub signs dispatches and kills. */
  dispatch_keys: z.array(z.string()).min(1),
  /** Which software the hub is. */
  service: z.string(),
  /** `NODE_PROTOCOL` of the hub; those before 3 do not tell. */
  protocol: z.int32().default(2),
});
/** What a node needs to speak to the broker, for as long as the JWT is valid. */
export type BrokerCredential = z.infer<typeof brokerCredentialSchema>;
