/**
 * Inputs that say who has written them, for whom and for which algorithm: the signed format, as
 * nodes read it that say so (`SIGNED_REQUESTS`). What it protects against is told in
 * `services/node/encryption/signed.ts`.
 * @module
 */
import { toBase64 } from "../../../shared/payload/base64.ts";
import { joined } from "../../../shared/payload/form.ts";
import type { RequestLabel } from "../../../shared/payload/label.ts";
import type { RsaPublicKey } from "../../../shared/payload/rsa_public_key.ts";
import { signedBytes, signedHeader, TAG_BYTES } from "../../../shared/payload/signed_form.ts";
import { KEY_BYTES } from "../../../shared/payload/unpadded_key.ts";
import { hexOf, sha256 } from "../keys/fingerprint.ts";
import type { SigningKey } from "../keys/organization_key.ts";
import { type Bytes, bytesOfText } from "./bytes.ts";

const IV_BYTES = 16;

export interface SignedPayload {
  /** What the answer to it names it by. */
  id: string;
  text(): string;
  blob(): AsyncGenerator<Bytes>;
}

export async function sealSigned(
  content: Bytes,
  label: RequestLabel,
  { reader, writer }: { reader: RsaPublicKey; writer: SigningKey },
): Promise<SignedPayload> {
  const raw = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const header = signedHeader(label, {
    signatureBytes: writer.wrappedBytes,
    wrappedKey: await wrapOaep(raw, reader),
    iv,
  });
  const signature = await writer.sign(signedBytes(header, await sha256(content)));
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
  const algorithm = {
    name: "AES-GCM",
    iv,
    additionalData: bytesOfText(header),
    tagLength: 8 * TAG_BYTES,
  };
  const sealed = new Uint8Array(
    await crypto.subtle.encrypt(algorithm, key, joined(content, signature)),
  );
  return {
    id: hexOf(await sha256(bytesOfText(header))),
    text: () => header + toBase64(sealed),
    async *blob() {
      yield bytesOfText(header);
      yield await Promise.resolve(sealed);
    },
  };
}

async function wrapOaep(raw: Bytes, { der }: RsaPublicKey): Promise<Bytes> {
  const algorithm = { name: "RSA-OAEP", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("spki", der, algorithm, false, ["encrypt"]);
  return new Uint8Array(await crypto.subtle.encrypt({ name: "RSA-OAEP" }, key, raw));
}
