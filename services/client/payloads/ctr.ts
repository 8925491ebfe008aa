/**
 * AES-256-CTR piece by piece: WebCrypto does it for a whole alone, but of this mode every block can
 * be done by itself, when one knows its number.
 * @module
 */
import { joined } from "../../../shared/payload/form.ts";
import { bytesToNumber, numberToBytes } from "../../../shared/payload/rsa_public_key.ts";
import type { Bytes } from "./bytes.ts";

const BLOCK = 16;
const NONE: Bytes = new Uint8Array();

export interface Ctr {
  /** What this piece leads to; perhaps nothing yet. Encrypts what is plain, and the other way. */
  update(piece: Uint8Array): Promise<Bytes>;
  final(): Promise<Bytes>;
}

export async function createCtr(rawKey: Bytes, iv: Uint8Array): Promise<Ctr> {
  const key = await crypto.subtle.importKey("raw", rawKey, "AES-CTR", false, ["encrypt"]);
  let counter = bytesToNumber(iv);
  /** What makes no whole block yet. */
  let held: Bytes = NONE;

  async function pass(bytes: Bytes): Promise<Bytes> {
    if (bytes.length === 0) return NONE;
    const algorithm = { name: "AES-CTR", counter: numberToBytes(counter, BLOCK), length: 128 };
    counter = BigInt.asUintN(128, counter + BigInt(Math.ceil(bytes.length / BLOCK)));
    return new Uint8Array(await crypto.subtle.encrypt(algorithm, key, bytes));
  }

  return {
    update(piece) {
      const bytes = joined(held, piece);
      const end = bytes.length - bytes.length % BLOCK;
      held = bytes.slice(end);
      return pass(bytes.subarray(0, end));
    },
    final: () => pass(held),
  };
}
