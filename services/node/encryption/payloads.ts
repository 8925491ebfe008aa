/**
 * How this node reads payloads meant for it and writes those meant for others.
 * @module
 */
import type { KeyObject } from "node:crypto";
import { z } from "zod";
import type { Hub } from "../hub/hub.ts";
import { type PayloadCodec, plainPayloads as plainCodec } from "../subtasks/payload_codec.ts";
import { KeyError, readPublicKey } from "./keys.ts";
import type { KnownKeys } from "./known_keys.ts";
import {
  createBlobOpener,
  createSeal,
  type Format,
  openSealed,
  type Seal,
  sealText,
} from "./sealed.ts";

export interface Payloads extends PayloadCodec {
  /** The content of a stored payload: its text, or the bytes of its blob. */
  open(stored: string | Uint8Array): Uint8Array;
  /**
   * Begins a result for an organization; `null` where payloads are not encrypted. `reader` says who will read it: a person's
   * program knows only v6's format.
   */
  seal(organizationId: number, reader: "node" | "program"): Promise<Seal | null>;
}

/** Payloads of a collaboration that is not encrypted. */
export const plainPayloads: Payloads = {
  ...plainCodec,
  open: (stored) =>
    Uint8Array.fromBase64(typeof stored === "string" ? stored : new TextDecoder().decode(stored)),
  seal: () => Promise.resolve(null),
};

export interface EncryptedPayloadsOptions {
  hub: Hub;
  /** The organization's. */
  privateKey: KeyObject;
  /** How this node writes what the node of an organization will read. */
  formatFor: (organizationId: number) => Promise<Format>;
  /** Throws when nothing may be encrypted for an organization with this key; see `known_keys.ts`. */
  checkKey: KnownKeys["check"];
  signal: AbortSignal;
}

export function createEncryptedPayloads(
  { hub, privateKey, formatFor, checkKey, signal }: EncryptedPayloadsOptions,
): Payloads {
  async function keyOf(organizationId: number): Promise<KeyObject> {
    const schema = z.object({ name: z.string(), public_key: z.string().nullish() });
    const { name, public_key } = await hub.insist(`/organization/${organizationId}`, schema, {
      signal,
    });
    if (!public_key) {
      throw new KeyError(
        `The organization "${name}" has no public key, so nothing can be encrypted for it. ` +
          "Its node sets the key when it starts; a user may with PATCH /organization.",
      );
    }
    const key = readKeyOf(name, public_key);
    await checkKey(organizationId, key);
    return key;
  }

  function open(stored: string | Uint8Array): Uint8Array {
    return withoutSecondBase64(openSealed(stored, privateKey));
  }

  return {
    encrypted: true,
    open,
    opener: () => createBlobOpener(privateKey),
    async blobSeal(readers) {
      for (const id of readers!.organizationIds) await checkKey(id, readers!.key);
      const formats = await Promise.all(readers!.organizationIds.map(formatFor));
      return createSeal(readers!.key, formats.includes("field") ? "field" : "authenticated");
    },
    decode: (stored) => Promise.resolve(new Uint8Array(open(stored)).toBase64()),
    async encode(content, organizationId) {
      const [key, format] = await Promise.all([keyOf(organizationId), formatFor(organizationId)]);
      return sealText(Uint8Array.fromBase64(content), key, format);
    },
    async seal(organizationId, reader) {
      const format = reader === "node" ? formatFor(organizationId) : "field" as const;
      return createSeal(...await Promise.all([keyOf(organizationId), format]));
    },
  };
}

function readKeyOf(organization: string, text: string): KeyObject {
  try {
    return readPublicKey(text);
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    throw new KeyError(
      `The public key of the organization "${organization}" is wrong: ${error.message}`,
    );
  }
}

/** The browser's programs encrypt the base64 text of a message (HTTP contract §7.3). */
function withoutSecondBase64(content: Uint8Array): Uint8Array {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(content);
    // JSON that is base64 at the same time is a bare number or word, never an algorithm's input.
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || isJson(text)) return content;
    const inner = Uint8Array.fromBase64(text);
    return isJson(new TextDecoder("utf-8", { fatal: true }).decode(inner)) ? inner : content;
  } catch {
    return content;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
