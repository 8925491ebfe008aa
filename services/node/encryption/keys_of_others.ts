/**
 * The public keys of other organizations, from the hub's records, each checked against what is
 * known of it before it is used.
 * @module
 */
import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { fingerprintOf } from "../../../shared/contract/public_key.ts";
import type { Hub } from "../hub/hub.ts";
import { KeyError, readPublicKey } from "./keys.ts";
import type { KnownKeys } from "./known_keys.ts";

export interface KeysOfOthers {
  /** Throws a {@linkcode KeyError} when this key is not to be used for an organization. */
  check: KnownKeys["check"];
  /** With which something is encrypted for an organization. Rejects with a {@linkcode KeyError}. */
  ofReader(organizationId: number): Promise<KeyObject>;
  /** With which an organization signs, as it says. Rejects with a {@linkcode KeyError}. */
  ofSigner(organizationId: number, fingerprint: string): Promise<KeyObject>;
}

/** Kept in memory, by their fingerprints. */
const MOST_KEPT = 1000;
const schema = z.object({ name: z.string(), public_key: z.string().nullish() });

export function createKeysOfOthers(
  { hub, known, signal }: {
    hub: Pick<Hub, "insist">;
    known: Pick<KnownKeys, "check">;
    signal: AbortSignal;
  },
): KeysOfOthers {
  const kept = new Map<string, KeyObject>();

  async function ofReader(organizationId: number): Promise<KeyObject> {
    const path = `/organization/${organizationId}`;
    const { name, public_key } = await hub.insist(path, schema, { signal });
    if (!public_key) {
      throw new KeyError(
        `The organization "${name}" has no public key, so nothing can be encrypted for it. ` +
          "Its node sets the key when it starts; a user may with PATCH /organization.",
      );
    }
    const key = readKeyOf(name, public_key);
    await known.check(organizationId, key);
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(fingerprintOf(key), key);
    return key;
  }

  return {
    check: known.check,
    ofReader,
    async ofSigner(organizationId, fingerprint) {
      const before = kept.get(fingerprint);
      if (before) {
        await known.check(organizationId, before);
        return before;
      }
      const key = await ofReader(organizationId);
      if (fingerprintOf(key) === fingerprint) return key;
      throw new KeyError(
        `it is signed with the key ${fingerprint}, and the key of organization ${organizationId} ` +
          `is ${fingerprintOf(key)}`,
      );
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
