/**
 * How payloads look on their way through the hub.
 * @module
 */

export interface PayloadCodec {
  /** From base64 of the content, as an algorithm writes it, to what the hub keeps for that organization. */
  encode(content: string, organizationId: number): Promise<string>;
  /** Back again, for this node's own organization, from the text or the bytes of the blob that the hub keeps. */
  decode(stored: string | Uint8Array): Promise<string>;
}

/** Payloads of a collaboration that is not encrypted: base64, as they are. */
export const plainPayloads: PayloadCodec = {
  encode: (content) => Promise.resolve(content),
  decode: (stored) =>
    Promise.resolve(typeof stored === "string" ? stored : new TextDecoder().decode(stored)),
};
