/**
 * Seals the secrets that are in the database with keys that are not: whoever reads a dump of it, or
 * a backup, can neither sign tokens nor make the codes of a second factor.
 *
 * AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits; the name of the row goes along as
 * additional data, so that what was sealed for one row does not open in another. A sealed text is
 * `sealed1.<id of the key>.<nonce, ciphertext and tag in base64url>`.
 * @module
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { ConfigError } from "../../../shared/service/config.ts";

export interface Vault {
  /** `row` names what it belongs to, for example `signing_key k1`. */
  seal(plain: string, row: string): string;
  /** Throws, and says what to do, when none of the keys opens it. */
  open(sealed: string, row: string): string;
  /** What a text begins with that is sealed with the newest key. */
  readonly prefix: string;
}

const KIND = "sealed1";
const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const base64url = { alphabet: "base64url", omitPadding: true } as const;

/** A key as it is kept in a file: 256 random bits as base64url text. */
export function newVaultKey(): string {
  return randomBytes(KEY_BYTES).toString("base64url");
}

export function isSealed(text: string): boolean {
  return text.startsWith(`${KIND}.`);
}

/**
 * Opens a vault with keys as text, separated by commas or line ends: the first one seals, all open.
 * Throws a {@linkcode ConfigError} for a malformed one.
 */
export function openVault(text: string): Vault {
  const keys = new Map(
    text.split(/[,\s]+/).filter(Boolean).map((one) => {
      const bytes = keyBytes(one);
      return [createHash("sha256").update(bytes).digest("hex").slice(0, 12), bytes] as const;
    }),
  );
  const [newest] = keys;
  if (!newest) throw new ConfigError(["SEXTANT_SECRETS_KEY holds no key"]);
  const [newestId, newestKey] = newest;
  const prefix = `${KIND}.${newestId}.`;
  return {
    prefix,
    seal(plain, row) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, newestKey, nonce).setAAD(aad(row));
      const parts = [nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()];
      return prefix + new Uint8Array(parts.flatMap((part) => [...part])).toBase64(base64url);
    },
    open(sealed, row) {
      const [, id = "", content = ""] = sealed.split(".");
      const key = keys.get(id);
      if (!key) {
        throw new Error(
          `Cannot open the secret of ${row}: it was sealed with the key ${id}, which is not among ` +
            `those of SEXTANT_SECRETS_KEY (${
              [...keys.keys()].join(", ")
            }). Add the key that this ` +
            "server was run with before (kept in its data folder, as services/identity/secrets_key) " +
            "behind the newest one, after a comma.",
        );
      }
      try {
        const bytes = Uint8Array.fromBase64(content, { alphabet: "base64url" });
        const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES))
          .setAAD(aad(row)).setAuthTag(bytes.subarray(-TAG_BYTES));
        return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8") +
          decipher.final("utf8");
      } catch (cause) {
        throw new Error(
          `Cannot open the secret of ${row}: it was changed, or sealed for another row.`,
          { cause },
        );
      }
    },
  };
}

function aad(row: string): Uint8Array {
  return new TextEncoder().encode(`sextant ${row}`);
}

function keyBytes(text: string): Uint8Array {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    if (bytes.length === KEY_BYTES) return bytes;
  } catch {
    // Said below.
  }
  throw new ConfigError([
    "SEXTANT_SECRETS_KEY: each key must be 32 random bytes in base64url; make one with: " +
    "openssl rand -base64 32 | tr '+/' '-_' | tr -d =",
  ]);
}
