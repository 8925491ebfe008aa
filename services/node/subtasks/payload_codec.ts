/**
 * How the payloads that a run exchanges with its subtasks look on their way through the hub.
 * @module
 */
import type { KeyObject } from "node:crypto";
import { createBase64Opener, createBase64Seal } from "../encryption/base64.ts";
import type { WantedResult } from "../../../shared/payload/label.ts";
import type { Opener, Seal } from "../../../shared/payload/form.ts";

export interface PayloadCodec {
  readonly encrypted: boolean;
  /**
   * From base64 of the content, as an algorithm writes it, to what the hub keeps for that
   * organization.
   */
  encode(content: string, organizationId: number): Promise<string>;
  /**
   * Back again, for this node's own organization, from the text or the bytes of the blob that the
   * hub keeps. Rejects with an `UnreadableError` for what is not the result that is wanted.
   */
  decode(stored: string | Uint8Array, wanted: WantedResult): Promise<string>;
  /** Begins to read a blob that is for this node's organization. */
  opener(wanted: WantedResult): Opener;
  /** Begins a blob; where payloads are encrypted, for these organizations, which share a key. */
  blobSeal(readers: { key: KeyObject; organizationIds: number[] } | null): Promise<Seal>;
}

/** Payloads of a collaboration that is not encrypted: base64, as they are. */
export const plainPayloads: PayloadCodec = {
  encrypted: false,
  encode: (content) => Promise.resolve(content),
  decode: (stored) =>
    Promise.resolve(typeof stored === "string" ? stored : new TextDecoder().decode(stored)),
  opener: createBase64Opener,
  blobSeal: () => Promise.resolve(createBase64Seal()),
};
