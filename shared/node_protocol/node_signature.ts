/**
 * How the hub knows which node wrote a report: it is signed with the node's key and shows the
 * credential for that key. The broker lets only the node publish on its subjects, but does not
 * check reply subjects: a node could have the broker's own answers sent there.
 * @module
 */
import { CREDENTIAL_HEADER, sign, SIGNATURE_HEADER, verify } from "../broker/signing.ts";
import { parseNodeSubject } from "../broker/subjects.ts";
import { SextantError } from "../service/errors.ts";
import { type NodeIssuers, verifyNodeCredential } from "./credential.ts";

/** Signs a message of a node, as sent on `subject`. */
export function signAsNode(
  headers: { set(name: string, value: string): void },
  { seed, credential }: { seed: string; credential: string },
  { subject, payload }: { subject: string; payload: Uint8Array },
): void {
  headers.set(CREDENTIAL_HEADER, credential);
  headers.set(SIGNATURE_HEADER, sign(seed, subject, payload));
}

/** A message that a node has proved to be its own. */
export interface Proven {
  node: number;
  /** The key that it was signed with. */
  publicKey: string;
  /** The last part of the subject: the kind of report, or a result's id for a log. */
  rest: string;
  /** Two messages have the same one only if they are the same. */
  signature: string;
}

/** The part of a NATS message that proves its writer. */
export interface NodeMessage {
  subject: string;
  data: Uint8Array;
  headers?: { get(name: string): string } | undefined;
}

/** Who wrote a message of a node; throws `invalid_token` for one that does not prove it. */
export function proveSender(message: NodeMessage, issuers: NodeIssuers): Proven {
  const place = parseNodeSubject(message.subject);
  const jwt = message.headers?.get(CREDENTIAL_HEADER) ?? "";
  const signature = message.headers?.get(SIGNATURE_HEADER) ?? "";
  const credential = verifyNodeCredential(jwt, issuers);
  if (!place || place.node !== credential.node) {
    throw new SextantError("invalid_token", "The credential is another node's.");
  }
  if (!verify(credential.publicKey, message.subject, message.data, signature)) {
    throw new SextantError("invalid_token", "The signature is wrong.");
  }
  return { ...place, publicKey: credential.publicKey, signature };
}
