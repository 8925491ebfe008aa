/**
 * What data stations tell one another, through the hub: which checkpoints of its audit record each
 * has seen. A hub that shows its record to one and another record to the other is found out by the
 * first of such statements that it passes on. It can hold statements back, but not write them: each
 * is signed with a key that the others remember.
 * @module
 */
import { z } from "zod";
import { checkpointList } from "./checkpoints.ts";
import { id } from "./values.ts";

/** What a node states; its JSON is what is signed. */
export const witnessStatement = z.object({
  v: z.literal(1),
  node_id: id,
  organization_id: id,
  collaboration_id: id,
  /** When it was made, by the node's clock. */
  at: z.iso.datetime(),
  checkpoints: checkpointList,
});
export type WitnessStatement = z.infer<typeof witnessStatement>;

/**
 * A statement as it travels. Where payloads are encrypted, `key` is the fingerprint of the
 * organization's key (`sha256:…`), which signs it by RSASSA-PSS; elsewhere it is the node's own
 * (`ed25519:` and its 32 bytes in base64).
 */
export const signedStatement = z.object({
  text: z.string().max(65_536),
  key: z.string().max(128).regex(/^(sha256:[0-9a-f]{64}|ed25519:[A-Za-z0-9+/]{43}=)$/),
  /** Base64. */
  signature: z.string().max(1024),
});
export type SignedStatement = z.infer<typeof signedStatement>;

/** Statements in one answer: of more nodes than these some are drawn each time. */
export const MOST_STATEMENTS = 200;

/** The last statement of other nodes of the collaboration, each as its node has signed it. */
export const statementsAnswer = z.object({
  data: z.array(signedStatement.extend({ node_id: id, organization_id: id })).max(MOST_STATEMENTS),
});

/** What is signed: no other signature of these keys begins with these words. */
export function statementBytes(text: string): Uint8Array {
  return new TextEncoder().encode(`sextant witness 1\0${text}`);
}
