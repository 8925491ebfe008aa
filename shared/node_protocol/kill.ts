/**
 * A kill: the hub tells a node that is connected now to stop a run. It goes out on `kill.<node>`; a
 * node that was away learns the same from the answer to its `hello`.
 * @module
 */
import { z } from "zod";
import { type HubTrust, type Reading, readSigned, type SignedMessage } from "./hub_signature.ts";
import { type SecondAgent, secondAgentSchema } from "./second_agent.ts";
import { id } from "./values.ts";

export const killSchema = z.object({
  result_id: id,
  /** `null` is whichever is under way. */
  attempt: id.nullable(),
  /** ISO 8601; not told by hubs of the version before. */
  issued_at: z.iso.datetime().optional(),
});
/** A run to stop. */
export type Kill = z.infer<typeof killSchema>;

/** Reads a kill, or what else comes on its subject, or says why it is not believed. */
export function readKill(
  message: SignedMessage,
  trust: HubTrust,
): Reading<Kill | SecondAgent> {
  return readSigned(message, trust, z.union([killSchema, secondAgentSchema]));
}
