/**
 * The public keys of organizations that somebody has been shown in this browser: by the fingerprint
 * of the first one, or of another that they have accepted since. Kept for each user of a hub apart,
 * because what one person has accepted says nothing to the next one at the same machine.
 * @module
 */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { KeyChangedError, KeyStore } from "../../client/mod.ts";
import { keep, readKept } from "../parts/browser_storage.ts";

export interface SeenKeysOptions {
  /** The hub's address. */
  hub: string;
  /** The id of who is logged in. */
  user: ReadonlySignal<number | undefined>;
}

export interface SeenKeys {
  store: KeyStore;
  /** Takes note of a key that is another than before. */
  tell(change: KeyChangedError): void;
  /** The changes that nobody has accepted, as far as they were seen since the page was loaded. */
  changes: ReadonlySignal<readonly KeyChangedError[]>;
  /** Since when an organization's key has been known here. */
  knownSince(organizationId: number): string | undefined;
}

/** A fingerprint, and since when it has been known. */
const ENTRY = /^(sha256:[0-9a-f]{64}) (\S+)$/;

export function createSeenKeys({ hub, user }: SeenKeysOptions): SeenKeys {
  const told = signal<readonly KeyChangedError[]>([]);
  /** Counts what is accepted, here or in another tab. */
  const accepted = signal(0);
  /** An entry for each organization, so that two tabs never write over each other's. */
  const nameOf = (organizationId: number) => `sextant-key ${hub} ${user.value} ${organizationId}`;

  function entryOf(organizationId: number) {
    const [, fingerprint, since] = ENTRY.exec(readKept(nameOf(organizationId)) ?? "") ?? [];
    return { fingerprint, since };
  }

  addEventListener("storage", ({ key, oldValue }) => {
    if (oldValue !== null && key?.startsWith(`sextant-key ${hub} `)) accepted.value++;
  });

  return {
    store: {
      get: (organizationId) => Promise.resolve(entryOf(organizationId).fingerprint),
      set(organizationId, fingerprint) {
        // After a log-out, the answer to a question of before may still come.
        if (user.value === undefined) return Promise.resolve();
        const isFirst = entryOf(organizationId).fingerprint === undefined;
        keep(nameOf(organizationId), `${fingerprint} ${new Date().toISOString()}`);
        if (!isFirst) accepted.value++;
        return Promise.resolve();
      },
    },
    tell(change) {
      told.value = [...told.value, change];
    },
    changes: computed(() => {
      void accepted.value;
      return told.value.filter(({ organization, before }) =>
        entryOf(organization.id).fingerprint === before
      );
    }),
    knownSince: (organizationId) => entryOf(organizationId).since,
  };
}
