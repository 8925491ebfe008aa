/**
 * What the hub tells a node: a run to do, or a run to stop. Both are signed by the hub, because the broker
 * does not check reply subjects and so cannot vouch for who wrote a message.
 * @module
 */
import { z } from "zod";
import { SIGNATURE_HEADER } from "../../../shared/broker/signing.ts";

const id = z.number().int().positive();

export const dispatchSchema = z.object({
  v: z.literal(1),
  result_id: id,
  attempt: id,
  task_id: id,
  run_id: id,
  parent_id: id.nullable(),
  collaboration_id: id,
  organization_id: id,
  init_org_id: id,
  init_user_id: id,
  // Not told by hubs, or of tasks, from before these were kept.
  init_username: z.string().nullish(),
  /** Where the algorithm store is that the task's algorithm comes from, if it comes from one. */
  algorithm_store_url: z.string().nullish(),
  /** The algorithm reference. */
  image: z.string(),
  databases: z.array(z.looseObject({ label: z.string() })),
  /** SHA-256, in hex, of the stored input string. */
  input_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  issued_at: z.string(),
});
/** One attempt at one result, to be executed here. */
export type Dispatch = z.infer<typeof dispatchSchema>;

const killSchema = z.object({ result_id: id, attempt: id.nullable() });
/** A run to stop; without an attempt, whichever is under way. */
export type Kill = z.infer<typeof killSchema>;

/** The part of a NATS message that decides whether it is believed. */
export interface IncomingMessage {
  subject: string;
  data: Uint8Array;
  headers?: { code: number; get(name: string): string } | undefined;
}

export interface Trust {
  /** The only subject on which such a message may come. */
  subject: string;
  /** Whether the hub signed this. */
  verify(subject: string, payload: Uint8Array, signature: string): boolean;
}

/** What a message says, or why it is not believed. */
export type Reading<Value> = { value: Value } | { refused: string };

export function readDispatch(message: IncomingMessage, trust: Trust): Reading<Dispatch> {
  return readSigned(message, trust, dispatchSchema);
}

export function readKill(message: IncomingMessage, trust: Trust): Reading<Kill> {
  return readSigned(message, trust, killSchema);
}

function readSigned<Value>(
  { subject, data, headers }: IncomingMessage,
  trust: Trust,
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
