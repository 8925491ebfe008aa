/**
 * The private key of an organization, in a form that browsers, Deno and Node.js can use. It stays
 * in memory: nothing here stores or sends it.
 * @module
 */
import { bytesOfBase64, toBase64 } from "../../../shared/payload/base64.ts";
import { bytesToNumber, modulusBytes } from "../../../shared/payload/rsa_public_key.ts";
import { UnreadableError } from "../../../shared/payload/unreadable_error.ts";
import { KeyError } from "../errors.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { type RsaNumbers, unwrapKey } from "./rsa.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface OrganizationKey {
  /** `sha256:…` of the public half. */
  readonly fingerprint: string;
  /** The public half as an organization's record has it. */
  readonly publicKey: string;
  /** Bytes of what is encrypted for it. */
  readonly wrappedBytes: number;
  /** A payload's key that was wrapped as v6 does it; noise for what was wrapped for another key. */
  unwrap(wrapped: Uint8Array): Promise<Bytes>;
  /** One that was wrapped by RSA-OAEP, as signed payloads have it. Rejects for any other. */
  unwrapOaep(wrapped: Uint8Array): Promise<Bytes>;
  /** RSASSA-PSS with SHA-256. */
  sign(bytes: Bytes): Promise<Bytes>;
}

/** What signing needs of a key: the key itself may be elsewhere, as in a worker of a page. */
export type SigningKey = Pick<OrganizationKey, "fingerprint" | "wrappedBytes" | "sign">;

const RSA = { hash: "SHA-256" };
const SMALLEST_BITS = 2048;

/**
 * Reads an RSA private key: PEM of PKCS#1, as v6's programs make it, or of PKCS#8, without a pass
 * phrase. Rejects with a {@linkcode KeyError}.
 */
export async function readOrganizationKey(pem: string): Promise<OrganizationKey> {
  const pkcs8 = pkcs8Of(pem);
  const oaep = await imported(pkcs8);
  const jwk = await crypto.subtle.exportKey("jwk", oaep);
  const numbers = numbersOf(jwk);
  const wrappedBytes = modulusBytes({ modulus: numbers.n });
  if (wrappedBytes * 8 < SMALLEST_BITS) {
    throw new KeyError(
      `The key has ${wrappedBytes * 8} bits; at least ${SMALLEST_BITS} are needed.`,
    );
  }
  const { n, e, kty } = jwk as Required<JsonWebKey>;
  const algorithm = { name: "RSA-OAEP", ...RSA };
  const half = await crypto.subtle.importKey("jwk", { n, e, kty }, algorithm, true, ["encrypt"]);
  const der = new Uint8Array(await crypto.subtle.exportKey("spki", half));
  const usages: KeyUsage[] = ["sign"];
  const pss = await crypto.subtle.importKey(
    "pkcs8",
    pkcs8,
    { name: "RSA-PSS", ...RSA },
    false,
    usages,
  );
  const secret = await crypto.subtle.importKey(
    "raw",
    pkcs8,
    { name: "HMAC", ...RSA },
    false,
    usages,
  );
  return {
    fingerprint: await fingerprintOf(der),
    publicKey: toBase64(new TextEncoder().encode(pemOf("PUBLIC KEY", der))),
    wrappedBytes,
    async unwrap(wrapped) {
      // The same each time, and known to nobody else.
      const rejected = await crypto.subtle.sign("HMAC", secret, new Uint8Array(wrapped));
      return unwrapKey(wrapped, numbers, new Uint8Array(rejected));
    },
    async sign(bytes) {
      const algorithm = { name: "RSA-PSS", saltLength: 32 };
      return new Uint8Array(await crypto.subtle.sign(algorithm, pss, bytes));
    },
    async unwrapOaep(wrapped) {
      try {
        const key = await crypto.subtle.decrypt(
          { name: "RSA-OAEP" },
          oaep,
          new Uint8Array(wrapped),
        );
        return new Uint8Array(key);
      } catch {
        throw new UnreadableError();
      }
    },
  };
}

/** Makes an organization's key: PEM of PKCS#8. */
export async function newOrganizationKey(bits = 4096): Promise<string> {
  const algorithm = {
    name: "RSA-OAEP",
    ...RSA,
    modulusLength: bits,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["encrypt", "decrypt"]);
  return pemOf("PRIVATE KEY", new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey)));
}

async function imported(pkcs8: Bytes): Promise<CryptoKey> {
  try {
    const algorithm = { name: "RSA-OAEP", ...RSA };
    return await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, ["decrypt"]);
  } catch (cause) {
    throw new KeyError("The key cannot be used: it is no private key for RSA.", { cause });
  }
}

function numbersOf(jwk: JsonWebKey): RsaNumbers {
  const names = ["n", "e", "p", "q", "dp", "dq", "qi"] as const;
  const numbers = names.map((name) => {
    const text = jwk[name];
    if (!text) throw new KeyError("The key cannot be used: it lacks its prime factors.");
    const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
    const padded = base64.padEnd(Math.ceil(base64.length / 4) * 4, "=");
    return [name, bytesToNumber(bytesOfBase64(padded))];
  });
  return Object.fromEntries(numbers) as RsaNumbers;
}

function pkcs8Of(pem: string): Bytes {
  const [, label, body] =
    /-----BEGIN ([A-Z ]*PRIVATE KEY)-----([A-Za-z0-9+/=\s]+)-----END \1-----/.exec(pem) ?? [];
  if (/ENCRYPTED/.test(pem)) {
    throw new KeyError("The key has a pass phrase; take that off (openssl rsa -in … -out …).");
  }
  if (label !== "PRIVATE KEY" && label !== "RSA PRIVATE KEY") {
    throw new KeyError("This is no private key for RSA in PEM (-----BEGIN RSA PRIVATE KEY-----).");
  }
  let der: Bytes;
  try {
    der = bytesOfBase64(body!.replaceAll(/\s/g, ""));
  } catch (cause) {
    throw new KeyError("The key is damaged: what is in it is not base64.", { cause });
  }
  return label === "PRIVATE KEY" ? der : wrappedInPkcs8(der);
}

/** Version 0, and `AlgorithmIdentifier { rsaEncryption, NULL }`. */
const BEFORE = [2, 1, 0, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

/** PrivateKeyInfo (RFC 5208 §5) of an RSAPrivateKey, which is all that WebCrypto reads. */
function wrappedInPkcs8(pkcs1: Bytes): Bytes {
  return derElement(0x30, [...BEFORE, ...derElement(0x04, [...pkcs1])]);
}

function derElement(tag: number, content: number[]): Bytes {
  const { length } = content;
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 255];
  return Uint8Array.from([tag, ...size, ...content]);
}

function pemOf(label: string, der: Bytes): string {
  const lines = toBase64(der).match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
