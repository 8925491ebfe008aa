/**
 * What the hub services ask one another: a closed list, with the schema of each question and
 * answer.
 * @module
 */
import { z } from "zod";
import { sealSchema } from "../contract/audit.ts";
import { organization } from "../contract/organization.ts";
import type { Principal } from "../contract/permissions.ts";
import { signedAddressSchema } from "../node_protocol/broker_address.ts";
import { containerGrantSchema } from "../node_protocol/container_grant.ts";
import { auditAnswer, auditQuestion, refusalSchema } from "../storage/audit.ts";
import { sealsQuestion } from "../storage/audit_seal.ts";
import { consistencyQuestion, proofAnswer, treeHeadSchema } from "../storage/audit_tree.ts";
import { metricSchema } from "./metric.ts";

const idNumber = z.number().int();
const idList = z.array(idNumber);

const nodeSummary = z.object({
  id: idNumber,
  name: z.string(),
  organization_id: idNumber,
  collaboration_id: idNumber,
  ip: z.string().nullable(),
  status: z.string().nullable(),
  /** Counts its API keys: what it was given for an earlier one is not good any more. */
  key_generation: idNumber,
});
export type NodeSummary = z.infer<typeof nodeSummary>;

/** A user or node, with the session in which they ask. */
const asker = z.object({
  client_type: z.enum(["user", "node"]),
  client_id: idNumber,
  session_id: z.uuid(),
});
export type Asker = z.infer<typeof asker>;

/** Who asks, as a principal tells; undefined for who has no log-in. */
export function askerOf(principal: Principal): Asker | undefined {
  if (principal.kind === "container" || principal.session_id === undefined) return undefined;
  const { kind: client_type, id: client_id, session_id } = principal;
  return { client_type, client_id, session_id };
}

const health = z.object({
  database: z.boolean(),
  version: z.string().optional(),
  /** Why the service's outbox is ill; a service of the version before does not tell. */
  outbox: z.string().nullish(),
});
const audit_tree = {
  input: z.object({}),
  /** Null before there is a seal. */
  output: z.object({ head: treeHeadSchema.nullable() }),
};
const membership = z.object({ id: idNumber, organization_ids: idList });

export const RPC_METHODS = {
  identity: {
    /** Public keys that verify access tokens. */
    keys: { input: z.object({}), output: z.array(z.record(z.string(), z.unknown())) },
    /**
     * A user with their effective rules; null when there is none, or the session has ended with
     * whose token they came.
     */
    user: {
      input: z.object({ id: idNumber, session_id: z.uuid() }),
      output: z.object({
        id: idNumber,
        username: z.string(),
        organization_id: idNumber,
        rules: z.array(z.string()),
      }).nullable(),
    },
    /**
     * Where a user belongs, or null. Unlike `user` it does not count as the user having been here.
     */
    user_place: {
      input: z.object({ id: idNumber }),
      output: z.object({ id: idNumber, organization_id: idNumber }).nullable(),
    },
    /**
     * The session of a node, or null when it has ended; with the generation of the API key that it
     * was begun with.
     */
    node_session: {
      input: z.object({ node_id: idNumber, session_id: z.uuid() }),
      output: z.object({ key_generation: idNumber }).nullable(),
    },
    /**
     * A token with which its owner can be known to an algorithm store, and nothing else be done.
     */
    store_token: {
      input: asker.extend({
        /** The store's address. */
        store_url: z.string(),
      }),
      output: z.object({ token: z.string() }),
    },
    /** The rules of one of the two roles that machines have. */
    machine_rules: {
      input: z.object({ role: z.enum(["node", "container"]) }),
      output: z.array(z.string()),
    },
    /** The two public keys by which a node's broker credential is recognised. */
    node_issuers: {
      input: z.object({}),
      output: z.object({ appAccountPublic: z.string(), nodeSignerPublic: z.string() }),
    },
    /** Which of these organizations exist, with their names. */
    organizations: {
      input: z.object({ ids: idList }),
      output: z.array(z.object({ id: idNumber, name: z.string() })),
    },
    /** The API's Organization objects. */
    show_organizations: {
      input: z.object({ ids: idList }),
      output: z.array(organization),
    },
    /** The newest records of what was changed and refused. */
    audit: { input: auditQuestion, output: auditAnswer },
    /** The seals over those records. */
    audit_seals: { input: sealsQuestion, output: z.object({ seals: z.array(sealSchema) }) },
    /** The tree over those records as it was at the last seal, and proofs of how it has grown. */
    audit_tree,
    audit_consistency: { input: consistencyQuestion, output: proofAnswer },
    /** Records a request that the gateway refused. */
    record_refusal: { input: refusalSchema, output: z.object({}) },
    /**
     * Closes the connections of nodes, and refuses every token and broker credential that they have
     * for another API key than their present one.
     */
    revoke_nodes: { input: z.object({ node_ids: idList }), output: z.object({}) },
    health: { input: z.object({}), output: health },
    /** What a service tells Prometheus; every replica the same. */
    metrics: { input: z.object({}), output: z.array(metricSchema) },
  },
  collaboration: {
    /** The collaborations of an organization, each with all its members. */
    memberships: { input: z.object({ organization_id: idNumber }), output: z.array(membership) },
    /**
     * One node, or null. `seen` when it is the node itself, or a container of it, that makes a
     * request.
     */
    node: {
      input: z.object({ id: idNumber, seen: z.boolean().optional() }),
      output: nodeSummary.nullable(),
    },
    /** Which of these nodes there are, each with the generation of the API key that it has now. */
    node_generations: {
      input: z.object({ ids: idList }),
      output: z.array(nodeSummary.pick({ id: true, key_generation: true })),
    },
    /** The node that holds this API key (as its SHA-256 in hex), or null. */
    node_by_key: { input: z.object({ sha256: z.string() }), output: nodeSummary.nullable() },
    /**
     * A program has logged in as this node, and says which formats of encrypted payloads it reads.
     */
    node_logged_in: {
      input: z.object({ id: idNumber, payload_formats: z.array(z.string()) }),
      output: z.object({}),
    },
    /** The nodes of some collaborations. */
    nodes: { input: z.object({ collaboration_ids: idList }), output: z.array(nodeSummary) },
    /** All that a task needs to know of where it is to run; null for what does not exist. */
    scope: {
      input: z.object({
        collaboration_id: idNumber.optional(),
        study_id: idNumber.optional(),
      }),
      output: z.object({
        collaboration: z.object({
          id: idNumber,
          name: z.string(),
          encrypted: z.boolean(),
          organization_ids: idList,
        }).nullable(),
        study: z.object({ id: idNumber, collaboration_id: idNumber, organization_ids: idList })
          .nullable(),
        nodes: z.array(nodeSummary),
      }),
    },
    /** The newest records of what was changed and refused. */
    audit: { input: auditQuestion, output: auditAnswer },
    /** The seals over those records. */
    audit_seals: { input: sealsQuestion, output: z.object({ seals: z.array(sealSchema) }) },
    /** The tree over those records as it was at the last seal, and proofs of how it has grown. */
    audit_tree,
    audit_consistency: { input: consistencyQuestion, output: proofAnswer },
    /** An algorithm store, or null. Without a collaboration it serves all of them. */
    store: {
      input: z.object({ id: idNumber }),
      output: z.object({
        id: idNumber,
        name: z.string(),
        url: z.string(),
        collaboration_id: idNumber.nullable(),
      }).nullable(),
    },
    /**
     * The image that a store has approved under this name, pinned to its digest; asked as the user
     * who wants it.
     */
    approved_image: {
      input: z.object({
        store_id: idNumber,
        image: z.string(),
        /** Who wants it; without a log-in the store is asked by nobody. */
        asker: asker.optional(),
        /** This server as the store knows it, where the operator has not set it. */
        server_url: z.string().optional(),
      }),
      output: z.object({ image: z.string() }),
    },
    /**
     * The connections that a node has at this moment, as the broker itself says: for each the
     * public key of the agent's process behind it, and the address that it comes from.
     */
    node_connections: {
      input: z.object({ node_id: idNumber }),
      output: z.array(z.object({ public_key: z.string(), address: z.string() })),
    },
    /** How many nodes an organization has. */
    node_count: {
      input: z.object({ organization_id: idNumber }),
      output: z.object({ nodes: idNumber }),
    },
    health: { input: z.object({}), output: health },
    /** What a service tells Prometheus; every replica the same. */
    metrics: { input: z.object({}), output: z.array(metricSchema) },
  },
  task: {
    /** What a container token for this task must say; refuses as `POST /token/container` should. */
    container: {
      input: z.object({
        task_id: idNumber,
        image: z.string(),
        node_id: idNumber,
        organization_id: idNumber,
        collaboration_id: idNumber,
      }),
      output: containerGrantSchema.pick({ study_id: true, store_id: true, databases: true })
        .extend({ result_id: idNumber, attempt: idNumber }),
    },
    /** The present attempt at a result; null when it is over, or there is none. */
    attempt: {
      input: z.object({ result_id: idNumber }),
      output: z.object({
        task_id: idNumber,
        /** The run id of its task. */
        job_id: idNumber,
        node_id: idNumber,
        attempt: idNumber,
      }).nullable(),
    },
    /** Adds to the numbers of what the hub did not take, by kind: what others refuse. */
    count_refused: {
      input: z.object({ counts: z.record(z.string().max(64), z.number().int().positive()) }),
      output: z.object({}),
    },
    /** The newest records of what was changed and refused. */
    audit: { input: auditQuestion, output: auditAnswer },
    /** The seals over those records. */
    audit_seals: { input: sealsQuestion, output: z.object({ seals: z.array(sealSchema) }) },
    /** The tree over those records as it was at the last seal, and proofs of how it has grown. */
    audit_tree,
    audit_consistency: { input: consistencyQuestion, output: proofAnswer },
    /** Signs where nodes find the broker, with the key that signs dispatches. */
    broker_address: {
      input: z.object({ nats_url: z.url().max(2048) }),
      output: signedAddressSchema,
    },
    /** The newest checkpoint of each service's record, signed by the hub. */
    checkpoints: { input: z.object({}), output: z.object({ checkpoints: z.array(z.string()) }) },
    /**
     * How many tasks there are of what is given: an organization's are those it started or has a
     * share in.
     */
    count: {
      input: z.object({
        collaboration_id: idNumber.optional(),
        study_id: idNumber.optional(),
        organization_id: idNumber.optional(),
        /** Who created them. */
        user_id: idNumber.optional(),
      }),
      output: z.object({ tasks: idNumber }),
    },
    health: { input: z.object({}), output: health },
    /** What a service tells Prometheus; every replica the same. */
    metrics: { input: z.object({}), output: z.array(metricSchema) },
  },
} as const;

type Methods = typeof RPC_METHODS;
type Schema<
  Service extends keyof Methods,
  Method extends keyof Methods[Service],
  Part extends string,
> = Methods[Service][Method] extends Record<Part, infer Found extends z.ZodType> ? Found : never;

export type RpcInput<Service extends keyof Methods, Method extends keyof Methods[Service]> =
  z.infer<
    Schema<Service, Method, "input">
  >;
export type RpcOutput<Service extends keyof Methods, Method extends keyof Methods[Service]> =
  z.infer<
    Schema<Service, Method, "output">
  >;

/** Asks another service: `await ask("collaboration", "node", { id: 3 })`. */
export type Ask = <Service extends keyof Methods, Method extends keyof Methods[Service] & string>(
  service: Service,
  method: Method,
  input: RpcInput<Service, Method>,
) => Promise<RpcOutput<Service, Method>>;

/** What a service answers: one handler for each of its methods, no more and no fewer. */
export type RpcHandlers<Service extends keyof Methods> = {
  [Method in keyof Methods[Service]]: (
    input: RpcInput<Service, Method>,
  ) => Promise<RpcOutput<Service, Method>>;
};
