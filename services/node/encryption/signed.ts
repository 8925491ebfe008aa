/**
 * The authenticated format: sealed so that one organization can read it, and signed so that it
 * knows who wrote it, for what.
 *
 * Signed, then encrypted, with the reader and the purpose named in what is signed, which is what
 * plain sign-then-encrypt lacks (D. Davis, "Defective Sign & Encrypt", USENIX 2001): whoever opens
 * a payload cannot pass it on as written for somebody else. In detail:
 *
 * - The label (`label.ts`) stands in the clear in the header, before the content's key, which is
 *   wrapped by RSA-OAEP (SHA-256) for the reader. The header is the additional data of AES-256-GCM:
 *   no label but its own opens a payload.
 * - The signature is RSASSA-PSS (SHA-256, RFC 8017 §8.1) by the writer's organization's key, over a
 *   word that no other signature begins with, the header and the content's SHA-256. It ends what is
 *   encrypted; only the reader sees it.
 *
 * The organization's one RSA key both decrypts and signs. With OAEP and PSS that is sound (Haber
 * and Pinkas 2001; Paterson et al. 2011); what endangers it is an oracle of PKCS#1 v1.5, v6's
 * padding, which `unwrap_key.ts` is there not to be.
 * @module
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { fingerprintOf } from "../../../shared/contract/public_key.ts";
import { discard } from "../payload/pieces.ts";
import {
  joined,
  type Opener,
  own,
  type Seal,
  type SealedHeader,
} from "../../../shared/payload/form.ts";
import type { Label } from "../../../shared/payload/label.ts";
import {
  readLabel,
  signedBytes,
  signedHeader,
  TAG_BYTES,
} from "../../../shared/payload/signed_form.ts";
import { KEY_BYTES } from "../../../shared/payload/unpadded_key.ts";
import { RefusedPayloadError, UnreadableError } from "../../../shared/payload/unreadable_error.ts";
import { wrappedBytes } from "./unwrap_key.ts";

const IV_BYTES = 16;
const encoder = new TextEncoder();
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };

/** Begins a payload that says this of itself. */
export function createSignedSeal(
  label: Label,
  { reader, writer }: { reader: KeyObject; writer: KeyObject },
): Seal {
  const key = randomBytes(KEY_BYTES);
  const iv = randomBytes(IV_BYTES);
  const header = signedHeader(label, {
    signatureBytes: wrappedBytes(writer),
    wrappedKey: publicEncrypt({ key: reader, ...OAEP }, key),
    iv,
  });
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(encoder.encode(header));
  const hash = createHash("sha256");
  return {
    header,
    key: fingerprintOf(reader),
    update(piece) {
      hash.update(piece);
      return cipher.update(piece);
    },
    final() {
      const signature = sign("sha256", signedBytes(header, hash.digest()), { key: writer, ...PSS });
      const sealed = joined(cipher.update(signature), cipher.final());
      return joined(sealed, cipher.getAuthTag());
    },
  };
}

/**
 * Decides on a label whether it belongs where it is read, and gives the key of who must have signed
 * it. Rejects with a {@linkcode RefusedPayloadError}.
 */
export type JudgeLabel = (label: Label) => Promise<KeyObject>;

/** Opens what has this header; throws an {@linkcode UnreadableError}. */
export function signedOpener(
  header: SealedHeader,
  privateKey: KeyObject,
  judge: JudgeLabel,
): Opener {
  const { label, signatureBytes, wrappedKey } = readLabel(header.wrapped);
  const decipher = unlessUnreadable(() => {
    const key = privateDecrypt({ key: privateKey, ...OAEP }, wrappedKey);
    return createDecipheriv("aes-256-gcm", key, header.iv, { authTagLength: TAG_BYTES })
      .setAAD(encoder.encode(header.text));
  });
  const hash = createHash("sha256");
  /** The end of what has come, which may be the signature and the tag. */
  let held: Uint8Array<ArrayBuffer> = new Uint8Array();
  const ending = signatureBytes + TAG_BYTES;
  return {
    authenticated: true,
    update(piece) {
      const bytes = held.length === 0 ? piece : joined(held, piece);
      const end = Math.max(0, bytes.length - ending);
      held = new Uint8Array(bytes.subarray(end));
      const content = own(decipher.update(bytes.subarray(0, end)));
      hash.update(content);
      if (bytes !== piece) discard(bytes);
      return content;
    },
    async final() {
      if (held.length !== ending) throw new UnreadableError();
      const signature = unlessUnreadable(() => {
        const found = decipher.update(held.subarray(0, signatureBytes));
        decipher.setAuthTag(held.subarray(signatureBytes));
        return joined(found, decipher.final());
      });
      const key = await judge(label);
      const bytes = signedBytes(header.text, hash.digest());
      if (!isSignature(signature, bytes, key)) {
        throw new RefusedPayloadError(`organization ${label.from} has not signed it`);
      }
      return new Uint8Array();
    },
  };
}

function isSignature(signature: Uint8Array, bytes: Uint8Array, key: KeyObject): boolean {
  try {
    return verify("sha256", bytes, { key, ...PSS }, signature);
  } catch {
    return false;
  }
}

function unlessUnreadable<T>(act: () => T): T {
  try {
    return act();
  } catch {
    throw new UnreadableError();
  }
}
