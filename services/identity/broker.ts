/**
 * Broker credentials: identity alone can sign them. Private keys stay with their holders.
 * @module
 */
import type { NatsConnection } from "nats.ws";
import { z } from "zod";
import {
  issueNodeCredential,
  issueServiceCredential,
  issueSystemCredential,
  nodeIssuers,
  revokeNode,
  type Trust,
} from "../../shared/broker_trust.ts";
import { enrolmentInbox, type SystemService } from "../../shared/broker_rights.ts";
import type { Db } from "../../shared/db.ts";
import { SextantError, toErrorBody } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { NodeIssuers } from "../../shared/node_credential.ts";
import { type ServiceName, subjects } from "../../shared/subjects.ts";
import { brokerKeysOfNode, forgetBrokerKeys, rememberBrokerKey } from "./store.ts";

export interface NodeCredential {
  jwt: string;
  expires_at: string;
  /** Where the node finds the broker. */
  nats_url: string;
  /** Public keys by which the node recognises what the hub dispatches. */
  dispatch_keys: string[];
  service: "sextant";
}

export interface BrokerDesk {
  /** The public keys by which a node's credential is recognised. */
  issuers: NodeIssuers;
  nodeCredential(nodeId: number, publicKey: string): Promise<NodeCredential>;
  /** Closes the node's connections and refuses every credential it has; a new one lets it in again. */
  shutOut(nodeId: number): Promise<void>;
}

export interface BrokerDeskOptions {
  db: Db;
  trust: Trust;
  /** identity's connection to the broker's system account. */
  system: NatsConnection;
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
    async shutOut(nodeId) {
      for (const publicKey of await brokerKeysOfNode(db, nodeId)) {
        await revokeNode(system, trust, publicKey);
      }
      await forgetBrokerKeys(db, nodeId);
    },
  };
}

const enrolment = z.object({ public_key: z.string(), system: z.boolean().optional() });

/** Services that may enrol; identity signs its own credential. */
const ENROLLED: ServiceName[] = ["gateway", "collaboration", "task", "shell"];
const SYSTEM_SERVICES: string[] = ["collaboration"] satisfies SystemService[];

export interface EnrolmentOptions {
  nc: NatsConnection;
  trust: Trust;
  credentialSeconds: number;
  log: Logger;
}

/**
 * Answers services that ask for their credential on `enrol.<service>`. The broker has checked that only the
 * service's own enrolment or current credential may publish there; the answer goes to that service's inbox or nowhere.
 */
export function serveEnrolment({ nc, trust, credentialSeconds, log }: EnrolmentOptions) {
  async function issue(service: ServiceName, payload: string) {
    const { public_key, system } = enrolment.parse(JSON.parse(payload));
    if (!system) return await issueServiceCredential(trust, service, public_key, credentialSeconds);
    if (!SYSTEM_SERVICES.includes(service)) {
      throw new SextantError("forbidden", `${service} has no business with the system account.`);
    }
    return await issueSystemCredential(
      trust,
      service as SystemService,
      public_key,
      credentialSeconds,
    );
  }

  return nc.subscribe("enrol.*", {
    queue: "identity",
    callback(error, message) {
      if (error) return;
      const service = ENROLLED.find((one) => subjects.enrol(one) === message.subject);
      const inboxes = service
        ? [subjects.inbox(service), subjects.inbox(enrolmentInbox(service))]
        : [];
      if (!service || !inboxes.some((inbox) => message.reply?.startsWith(`${inbox}.`))) {
        log.warn("An enrolment with a foreign reply address was dropped", {
          subject: message.subject,
        });
        return;
      }
      issue(service, message.string()).then(
        ({ jwt, expiresAt }) => {
          message.respond(JSON.stringify({ jwt, expires_at: expiresAt.toISOString() }));
        },
        (cause) => {
          log.warn("An enrolment was refused", { part: service, error: cause });
          message.respond(JSON.stringify({ error: toErrorBody(cause).body }));
        },
      );
    },
  });
}
