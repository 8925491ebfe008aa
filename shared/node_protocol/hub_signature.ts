/**
 * How a node knows that a message is the hub's: dispatches and kills are signed, because the broker
 * does not check reply subjects and so cannot vouch for who wrote a message.
 * @module
 */
import { z } from "zod";
import { sign, SIGNATURE_HEADER } from "../broker/signing.ts";

/** The part of a NATS message that decides whether it is believed. */
export interface SignedMessage {
  subject: string;
  data: Uint8Array;
  headers?: { code: number; get(name: string): string } | undefined;
}

/** What a node believes. */
export interface HubTrust {
  /** The only subject on which such a message may come. */
  subject: string;
  /** Whether the hub signed this. */
  verify(subject: string, payload: Uint8Array, signature: string): boolean;
}

/** What a message says, or why it is not believed. */
export type Reading<Value> = { value: Value } | { refused: string };

/** Signs a message of the hub, as sent on `subject`; `seed` is the hub's dispatch key. */
export function signAsHub(
  headers: { set(name: string, value: string): void },
  seed: string,
  { subject, payload }: { subject: string; payload: Uint8Array },
): void {
  headers.set(SIGNATURE_HEADER, sign(seed, subject, payload));
}

/**
 * Reads a message of the hub's; believes it only on the right subject, rightly signed and of the
 * right shape.
 */
export function readSigned<Value>(
  { subject, data, headers }: SignedMessage,
  trust: HubTrust,
  schema: z.ZodType<Value>,
): Reading<Value> {
  if (headers?.code) return { refused: `it carries the status ${headers.code}` };
  if (subject !== trust.subject) return { refused: `it came on the subject ${subject}` };
  const signature = headers?.get(SIGNATURE_HEADER);
  if (!signature) return { refused: "it is not signed" };
  if (!trust.verify(subject, data, signature)) {
    return { refused: "its signature is not the hub's" };
  }
  const parsed = schema.safeParse(parseJson(data));
  if (parsed.success) return { value: parsed.data };
  return { refused: `it has the wrong shape: ${z.prettifyError(parsed.error)}` };
}

/** The JSON in `data`; `undefined`, which no schema takes, when there is none. */
function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
  } catch {
    return undefined;
  }
}
