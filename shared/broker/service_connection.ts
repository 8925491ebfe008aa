/**
 * How a hub service comes by its credential, and keeps it fresh.
 *
 * A service starts with nothing but an enrolment credential, which can only ask identity for the
 * real one. The real one is short-lived and is renewed at half of its time over the connection that
 * it opened.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type BrokerConnection, connectToBroker } from "./connection.ts";
import { enrolmentInbox } from "./rights.ts";
import {
  type IssuedCredential,
  issueServiceCredential,
  issueSystemCredential,
  type Trust,
} from "./trust.ts";
import { parseJwtSegment } from "../node_protocol/credential.ts";
import { ConfigError } from "../service/config.ts";
import { askForCredential, SERVICE_TTL } from "./enrolment.ts";
import { messageOf, SextantError } from "../service/errors.ts";
import type { Logger } from "../service/log.ts";
import { newUserKey } from "./signing.ts";
import { type ServiceName, subjects } from "./subjects.ts";

/** The file a service enrols with: JSON, readable by the service alone. */
export const enrolmentSchema = z.object({ seed: z.string(), jwt: z.string() });
export type Enrolment = z.infer<typeof enrolmentSchema>;

/**
 * Gets a credential for a public key: the first without a connection, the next over the one it
 * opened.
 */
export type IssueCredential = (
  publicKey: string,
  connection?: BrokerConnection,
) => Promise<IssuedCredential>;

export interface ServiceConnection {
  nc: BrokerConnection;
  /** Stops renewing and drains. */
  close(): Promise<void>;
}

export interface ConnectRenewingOptions {
  url: string;
  name: string;
  inboxPrefix: string;
  /** Asked at the start and at half of each credential's time. */
  issue: IssueCredential;
  log: Logger;
}

const RETRY_MS = 500;
const RENEWAL_RETRY_MS = 2000;

/**
 * A connection with a key of its own, made here, and a credential that is renewed while messages
 * flow.
 */
export async function connectRenewing(
  { url, name, inboxPrefix, issue, log }: ConnectRenewingOptions,
): Promise<ServiceConnection> {
  const { seed, publicKey } = newUserKey();
  let current = await insist(() => issue(publicKey), log);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  const nc = await connectToBroker({
    url,
    name,
    credential: { seed, jwt: () => current.jwt },
    inboxPrefix,
    log,
  });

  async function renew() {
    try {
      const next = await issue(publicKey, nc);
      if (closed) return;
      current = next;
      await nc.renew();
      log.debug("Broker credential renewed", { until: current.expiresAt });
      schedule();
    } catch (error) {
      // Until it works the old socket stays; when its time is over the client reconnects by itself.
      log.warn("The broker credential is not renewed yet", { reason: messageOf(error) });
      schedule(RENEWAL_RETRY_MS);
    }
  }
  function schedule(ms = (current.expiresAt.getTime() - Date.now()) / 2) {
    if (!closed) timer = setTimeout(renew, Math.max(ms, RETRY_MS));
  }
  schedule();
  return {
    nc,
    async close() {
      closed = true;
      clearTimeout(timer);
      await nc.drain();
    },
  };
}

export interface ConnectServiceOptions {
  service: ServiceName;
  url: string;
  /** Path of the enrolment file. */
  enrolmentFile: string;
  log: Logger;
}

async function readEnrolment(path: string): Promise<Enrolment> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw new ConfigError([`SEXTANT_ENROLMENT: ${messageOf(error)}`]);
  });
  let enrolment: Enrolment;
  let end: Date;
  try {
    enrolment = enrolmentSchema.parse(JSON.parse(text));
    end = endOfEnrolment(enrolment);
  } catch (cause) {
    // Without the cause's message: it would show what the file holds.
    const error = new ConfigError([`SEXTANT_ENROLMENT: ${path} holds no credential of the set-up`]);
    error.cause = cause;
    throw error;
  }
  if (end.getTime() > Date.now()) return enrolment;
  throw new ConfigError([
    `SEXTANT_ENROLMENT: ${path} ended at ${end.toISOString()}; run the set-up again, which renews it ` +
    "(deno task up does so at each start, and docker compose run --rm setup)",
  ]);
}

const endSchema = z.object({ exp: z.number() });

/** Until when a service can enrol with it. Throws for a malformed one. */
export function endOfEnrolment({ jwt }: Enrolment): Date {
  return new Date(endSchema.parse(parseJwtSegment(jwt.split(".")[1] ?? "")).exp * 1000);
}

/** Connects a service; waits for the broker and for identity as long as it takes, and says so. */
export async function connectService(
  { service, url, enrolmentFile, log }: ConnectServiceOptions,
): Promise<ServiceConnection> {
  await readEnrolment(enrolmentFile); // so that what is wrong with it is said before anything waits
  return await connectRenewing({
    url,
    name: service,
    inboxPrefix: subjects.inbox(service),
    log,
    // After a long sleep the connection is shut out with its old credential, and the way is the
    // first one again.
    issue: async (publicKey, nc) =>
      nc && await nc.whenConnected(0)
        ? await askForCredential(nc, service, publicKey)
        : await enrol(service, url, await readEnrolment(enrolmentFile), publicKey, log),
  });
}

/** Connects with the enrolment credential for as long as one answer takes. */
async function enrol(
  service: ServiceName,
  url: string,
  enrolment: Enrolment,
  publicKey: string,
  log: Logger,
): Promise<IssuedCredential> {
  const nc = await connectToBroker({
    url,
    name: enrolmentInbox(service),
    credential: { seed: enrolment.seed, jwt: () => enrolment.jwt },
    inboxPrefix: subjects.inbox(enrolmentInbox(service)),
    log,
  });
  try {
    return await askForCredential(nc, service, publicKey);
  } finally {
    await nc.close();
  }
}

/** Asks for the first credential until it is given; throws when it is refused. */
async function insist(issue: () => Promise<IssuedCredential>, log: Logger) {
  for (let attempt = 1;; attempt++) {
    try {
      return await issue();
    } catch (error) {
      if (!(error instanceof SextantError) || error.code !== "unavailable") throw error;
      if (attempt % 10 === 4) {
        log.warn("No broker credential yet; waiting for identity", { reason: messageOf(error) });
      }
      await delay(RETRY_MS);
    }
  }
}

/**
 * The connection of collaboration to the system account, for presence; `main` is its own
 * connection.
 */
export function connectSystem(
  { service, url, main, log }: {
    service: "collaboration";
    url: string;
    main: BrokerConnection;
    log: Logger;
  },
): Promise<ServiceConnection> {
  return connectRenewing({
    url,
    name: `${service}-system`,
    inboxPrefix: subjects.inbox(service),
    log,
    issue: (publicKey) => askForCredential(main, service, publicKey, true),
  });
}

export interface ConnectIdentityOptions {
  url: string;
  trust: Trust;
  log: Logger;
}

/** identity signs its own credentials: its connection, and the one with which it revokes. */
export async function connectIdentity(
  { url, trust, log }: ConnectIdentityOptions,
): Promise<{ main: ServiceConnection; system: ServiceConnection }> {
  const inboxPrefix = subjects.inbox("identity");
  const main = await connectRenewing({
    url,
    name: "identity",
    inboxPrefix,
    log,
    issue: (publicKey) => issueServiceCredential(trust, "identity", publicKey, SERVICE_TTL),
  });
  const system = await connectRenewing({
    url,
    name: "identity-system",
    inboxPrefix,
    log,
    issue: (publicKey) => issueSystemCredential(trust, "identity", publicKey, SERVICE_TTL),
  });
  return { main, system };
}
