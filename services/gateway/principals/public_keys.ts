/**
 * The keys that verify tokens, asked of identity when a token names one that is not known.
 *
 * Anybody can send tokens that name keys which do not exist, before any signature is checked: so
 * one question is under way at most, and after one that did not help there is a pause. The idea is
 * that of jose's `createRemoteJWKSet`.
 * @module
 */
import type { JWK } from "jose";
import type { Ask } from "../../../shared/messages/questions.ts";

export interface PublicKeys {
  /** The key of this name; `undefined` when there is none, or none was known a moment ago. */
  of(kid: string): Promise<JWK | undefined>;
  /** Drops all of them: one may have been withdrawn. */
  forget(): void;
}

export interface PublicKeysOptions {
  ask: Ask;
  /** Milliseconds. */
  now: () => number;
  /** No question for so long after an unknown key. A new key is heard of no later. */
  pauseMs?: number;
  /**
   * After so long they are asked for again: one may have been withdrawn, and that not been heard.
   */
  maxAgeMs?: number;
}

export function createPublicKeys(
  { ask, now, pauseMs = 1_000, maxAgeMs = 30_000 }: PublicKeysOptions,
): PublicKeys {
  let keys = new Map<string, JWK>();
  let asking: Promise<void> | undefined;
  let quietSince = -Infinity;
  let loadedAt = -Infinity;

  function load(): Promise<void> {
    const began = now();
    const loading = ask("identity", "keys", {}).then((known) => {
      // Dropped meanwhile: what was asked before may be what is not to be believed any more.
      if (asking !== loading) return;
      // The same object for the same key: what was imported from it is used again.
      keys = new Map(known.map((key) => [
        String(key.kid),
        sameAs(keys.get(String(key.kid)), key as JWK),
      ]));
      loadedAt = began;
    }).finally(() => {
      if (asking === loading) asking = undefined;
    });
    return loading;
  }

  return {
    async of(kid) {
      const old = now() - loadedAt >= maxAgeMs;
      if (old || (!keys.has(kid) && now() - quietSince >= pauseMs)) {
        asking ??= load();
        await asking;
        if (!keys.has(kid)) quietSince = now();
      }
      return keys.get(kid);
    },
    forget() {
      keys = new Map();
      asking = undefined;
      quietSince = -Infinity;
      loadedAt = -Infinity;
    },
  };
}

function sameAs(known: JWK | undefined, key: JWK): JWK {
  return known && known.x === key.x && known.kty === key.kty ? known : key;
}
