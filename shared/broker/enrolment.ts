/**
 * How a service asks identity for a broker credential, and how identity answers.
 * @module
 */
import { z } from "zod";
import { type BrokerConnection, isInboxOf, type Msg } from "./connection.ts";
import { enrolmentInbox, type SystemService } from "./rights.ts";
import {
  type IssuedCredential,
  issueServiceCredential,
  issueSystemCredential,
  type Trust,
} from "./trust.ts";
import { messageOf, SextantError, toErrorBody } from "../service/errors.ts";
import type { Logger } from "../service/log.ts";
import { HUB_SERVICES, type ServiceName, subjects } from "./subjects.ts";

const requestSchema = z.object({ public_key: z.string(), system: z.boolean().default(false) });
const answerSchema = z.union([
  z.object({ jwt: z.string(), expires_at: z.coerce.date() }),
  z.object({ error: z.object({ code: z.string(), msg: z.string() }) }),
]);

const ANSWER_TIMEOUT_MS = 5000;
/** Seconds that a service's credential is good for. */
export const SERVICE_TTL = 3600;

/**
 * Asks for a credential, in the system account on request. Throws `unavailable` when nobody
 * answers.
 */
export async function askForCredential(
  nc: BrokerConnection,
  service: ServiceName,
  publicKey: string,
  system = false,
): Promise<IssuedCredential> {
  let answer;
  try {
    const question = JSON.stringify({ public_key: publicKey, system });
    const message = await nc.request(subjects.enrol(service), question, {
      timeout: ANSWER_TIMEOUT_MS,
    });
    answer = answerSchema.parse(message.json());
  } catch (error) {
    throw new SextantError("unavailable", "The identity service does not answer enrolments.", {
      cause: error,
    });
  }
  if ("error" in answer) throw new SextantError("forbidden", answer.error.msg);
  return { jwt: answer.jwt, expiresAt: answer.expires_at };
}

const SERVICES: readonly ServiceName[] = [...HUB_SERVICES, "gateway", "shell"];
const SYSTEM_SERVICES: readonly ServiceName[] = ["collaboration"];

export interface ServeEnrolmentOptions {
  nc: BrokerConnection;
  trust: Trust;
  log: Logger;
  /** Seconds. */
  ttl?: number;
}

/** identity's side: answers every service that the broker lets ask. */
export function serveEnrolment(
  { nc, trust, log, ttl = SERVICE_TTL }: ServeEnrolmentOptions,
): void {
  async function answer(subject: string, payload: string): Promise<unknown> {
    const service = SERVICES.find((name) => subjects.enrol(name) === subject);
    if (!service) throw new SextantError("forbidden", `There is no service that asks ${subject}.`);
    const { public_key, system } = requestSchema.parse(JSON.parse(payload));
    if (system && !SYSTEM_SERVICES.includes(service)) {
      throw new SextantError("forbidden", `${service} has no business with the broker's account.`);
    }
    const { jwt, expiresAt } = system
      ? await issueSystemCredential(trust, service as SystemService, public_key, ttl)
      : await issueServiceCredential(trust, service, public_key, ttl);
    return { jwt, expires_at: expiresAt.toISOString() };
  }
  async function respond(message: Msg) {
    const service = message.subject.split(".")[1] as ServiceName;
    // The broker does not check reply subjects: an answer must not go where the asker could not
    // listen.
    if (!isInboxOf(message.reply, [service, enrolmentInbox(service)])) {
      return log.warn("An enrolment names a reply subject that is not the asker's", { service });
    }
    let content: unknown;
    try {
      content = await answer(message.subject, message.string());
    } catch (error) {
      log.warn("An enrolment is refused", { service, reason: messageOf(error) });
      const { code, msg } = toErrorBody(error).body;
      content = { error: { code, msg } };
    }
    message.respond(JSON.stringify(content));
  }
  nc.subscribe("enrol.*", {
    queue: "identity",
    callback(error, message) {
      if (error) return log.error("Enrolments cannot be heard", { error });
      respond(message).catch((error) => log.error("An enrolment is not answered", { error }));
    },
  });
}
