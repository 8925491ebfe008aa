/**
 * A dispatch: the hub tells a node to do one attempt at one result. It goes out on
 * `dispatch.<node>` to a node that is connected, and again in the answer to its question for
 * `work`, until the node has `accepted` it (see `reports.ts`).
 *
 * It names the work and the digest of its input; the input itself comes with the answer to the
 * node's `start` report, so that nothing that was killed in the meantime is ever begun.
 * @module
 */
import { z } from "zod";
import { traceparentSchema } from "../tracing/traceparent.ts";
import { type HubTrust, type Reading, readSigned, type SignedMessage } from "./hub_signature.ts";
import { attemptIdSchema, id, sha256Text } from "./values.ts";

export const dispatchSchema = z.object({
  v: z.literal(1),
  ...attemptIdSchema.shape,
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
  /** Of the stored input. */
  input_sha256: sha256Text,
  /** ISO 8601. */
  issued_at: z.string(),
  /** The span in whose course the task was made, where the hub keeps traces. */
  traceparent: traceparentSchema,
});
/** One attempt at one result, to be executed at the node that gets this. */
export type Dispatch = z.infer<typeof dispatchSchema>;

export const wakeUpSchema = z.object({ wake_up: z.literal(true) });
/** There is work that the node has not accepted: it is to ask for it. */
export type WakeUp = z.infer<typeof wakeUpSchema>;

/** Reads what comes on `dispatch.<node>`, or says why it is not believed. */
export function readDispatch(message: SignedMessage, trust: HubTrust): Reading<Dispatch | WakeUp> {
  return readSigned(message, trust, z.union([dispatchSchema, wakeUpSchema]));
}

/** A dispatch in an answer to `work`: the text that was signed, as it would be sent by itself. */
export const signedDispatchSchema = z.object({ text: z.string(), signature: z.string() });
export type SignedDispatch = z.infer<typeof signedDispatchSchema>;

/** Reads a dispatch out of an answer, or says why it is not believed. */
export function readSignedDispatch(
  { text, signature }: SignedDispatch,
  trust: HubTrust,
): Reading<Dispatch> {
  const headers = { code: 0, get: () => signature };
  const data = new TextEncoder().encode(text);
  return readSigned({ subject: trust.subject, data, headers }, trust, dispatchSchema);
}
