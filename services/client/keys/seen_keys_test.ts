import assert from "node:assert/strict";
import { newOrganizationKey, readOrganizationKey } from "./organization_key.ts";
import { createMemoryKeyStore, createSeenKeys, type KeyStore } from "./seen_keys.ts";
import type { KeyChangedError } from "../errors.ts";

async function holderOf(id: number) {
  const { publicKey, fingerprint } = await readOrganizationKey(await newOrganizationKey(2048));
  return { shown: { id, name: "Clinic", public_key: publicKey }, fingerprint };
}

Deno.test("a key that changes is told of once, and once more to whoever had been shown another before", async () => {
  const [first, second, third] = [await holderOf(7), await holderOf(7), await holderOf(7)];
  const stores = { ann: createMemoryKeyStore(), bob: createMemoryKeyStore() };
  let user: keyof typeof stores = "ann";
  const store: KeyStore = {
    get: (id) => stores[user].get(id),
    set: (id, fingerprint) => stores[user].set(id, fingerprint),
  };
  const told: KeyChangedError[] = [];
  const keys = createSeenKeys({ store, onChange: (change) => void told.push(change) });
  await keys.look(first.shown);
  user = "bob";
  await keys.look(second.shown);

  await keys.look(third.shown);
  await keys.look(third.shown);
  user = "ann";
  await keys.look(third.shown);
  await assert.rejects(keys.keyOf(third.shown), /Ask its people whether/);
  assert.deepEqual(told.map(({ before, now }) => [before, now]), [
    [second.fingerprint, third.fingerprint],
    [first.fingerprint, third.fingerprint],
  ]);
});
