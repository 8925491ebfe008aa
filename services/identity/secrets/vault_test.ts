import assert from "node:assert/strict";
import { isSealed, newVaultKey, openVault } from "./vault.ts";

Deno.test("openVault() seals what opens in its row alone, and differently each time", () => {
  const vault = openVault(newVaultKey());
  const sealed = vault.seal("JBSWY3DPEHPK3PXP", "user 1");
  assert.equal(vault.open(sealed, "user 1"), "JBSWY3DPEHPK3PXP");
  assert.ok(isSealed(sealed) && !isSealed("JBSWY3DPEHPK3PXP"));
  assert.ok(!sealed.includes("JBSW"));
  assert.notEqual(vault.seal("JBSWY3DPEHPK3PXP", "user 1"), sealed);
  assert.throws(() => vault.open(sealed, "user 2"), /changed, or sealed for another row/);
  const [kind, id, content] = sealed.split(".") as [string, string, string];
  const bytes = Uint8Array.fromBase64(content, { alphabet: "base64url" });
  for (const at of [0, 12, bytes.length - 1]) {
    const other = bytes.slice();
    other[at]! ^= 1;
    const forged = `${kind}.${id}.${other.toBase64({ alphabet: "base64url", omitPadding: true })}`;
    assert.throws(() => vault.open(forged, "user 1"), /changed/);
  }
  for (const text of ["", "sealed1", `${kind}.${id}.`, `${kind}.${id}.AAAA`]) {
    assert.throws(() => vault.open(text, "user 1"), /Cannot open the secret of user 1/);
  }
});

Deno.test("openVault() seals with the first key and opens with all; a wrong one is said with what to do", () => {
  const [old, next] = [newVaultKey(), newVaultKey()];
  const sealed = openVault(old).seal("secret", "row");
  const both = openVault(`${next},${old}\n`);
  assert.equal(both.open(sealed, "row"), "secret");
  assert.ok(!sealed.startsWith(both.prefix) && both.seal("x", "row").startsWith(both.prefix));
  assert.throws(() => openVault(next).open(sealed, "row"), /not among.*Add the key/);
  for (const bad of ["", ",", "short", "!".repeat(43), `${old},short`]) {
    assert.throws(() => openVault(bad), { name: "ConfigError" }, bad);
  }
});
