/**
 * The public keys of organizations that a client has been shown: whoever replaces a key in the
 * hub's record reads what is encrypted with it from then on. So the first one that is seen stays
 * the only one that is used, until somebody accepts another.
 * @module
 */
import type { Organization } from "../../../shared/contract/organization.ts";
import { readRsaPublicKey, type RsaPublicKey } from "../../../shared/payload/rsa_public_key.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { KeyChangedError, KeyError } from "../errors.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** Where fingerprints are kept, of one hub. */
export interface KeyStore {
  get(organizationId: number): Promise<string | undefined>;
  set(organizationId: number, fingerprint: string): Promise<void>;
}

export interface SeenKeys {
  /** Notes a key that is seen for the first time, and tells of one that is another than before. */
  look(shown: KeyHolder): Promise<void>;
  /**
   * With which something is encrypted for an organization, or by which it signs. Rejects with a
   * {@linkcode KeyError}; with a {@linkcode KeyChangedError} where it is another than before.
   */
  keyOf(shown: KeyHolder): Promise<RsaPublicKey>;
  /** From now on this is the organization's key: its people have said so. */
  accept(organizationId: number, fingerprint: string): Promise<void>;
}

type KeyHolder = Pick<Organization, "id" | "name" | "public_key">;

export interface SeenKeysOptions {
  store?: KeyStore | undefined;
  /** Told once of each change. */
  onChange?: ((change: KeyChangedError) => void) | undefined;
}

export function createSeenKeys(
  { store = createMemoryKeyStore(), onChange }: SeenKeysOptions = {},
): SeenKeys {
  const told = new Set<string>();

  async function check(shown: KeyHolder, key: RsaPublicKey): Promise<KeyChangedError | undefined> {
    const now = await fingerprintOf(key.der);
    const before = await store.get(shown.id);
    if (before === undefined) await store.set(shown.id, now);
    if (before === undefined || before === now) return undefined;
    const change = new KeyChangedError({ id: shown.id, name: shown.name }, before, now);
    // Of one store several people may use, some had been shown an older key than others.
    const name = `${shown.id} ${before} ${now}`;
    if (!told.has(name)) onChange?.(change);
    told.add(name);
    return change;
  }

  return {
    async look(shown) {
      if (!shown.public_key) return;
      let key: RsaPublicKey;
      try {
        key = readRsaPublicKey(shown.public_key);
      } catch {
        // Of no use to anybody; whoever would use it hears of that.
        return;
      }
      await check(shown, key);
    },
    async keyOf(shown) {
      const who = `organization ${shown.id} "${shown.name}"`;
      if (!shown.public_key) {
        throw new KeyError(
          `Nothing can be encrypted for ${who}: it has no public key. Its node tells the hub of ` +
            "one when it starts.",
        );
      }
      let key: RsaPublicKey;
      try {
        key = readRsaPublicKey(shown.public_key);
      } catch (error) {
        throw new KeyError(`The public key of ${who} is wrong: ${messageOf(error)}`);
      }
      const change = await check(shown, key);
      if (change) throw change;
      return key;
    },
    accept: (organizationId, fingerprint) => store.set(organizationId, fingerprint),
  };
}

export function createMemoryKeyStore(): KeyStore {
  const seen = new Map<number, string>();
  return {
    get: (id) => Promise.resolve(seen.get(id)),
    set(id, fingerprint) {
      seen.set(id, fingerprint);
      return Promise.resolve();
    },
  };
}
