import assert from "node:assert/strict";
import { publicKeyText, readPrivateKey } from "./keys.ts";

async function keygen(...args: string[]) {
  const main = new URL("../main.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, "keygen", ...args],
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, out: decode(stdout), error: decode(stderr) };
}

Deno.test("keygen writes a key that its owner alone can read, prints the public one, and overwrites none", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/key.pem`;
    const { code, out } = await keygen("--out", path, "--bits", "2048");
    assert.equal(code, 0);
    const pem = await Deno.readTextFile(path);
    assert.match(pem, /^-----BEGIN RSA PRIVATE KEY-----\n/);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    assert.equal(out, publicKeyText(readPrivateKey(pem)));
    assert.match(atob(out), /^-----BEGIN PUBLIC KEY-----\n(.{64}\n)+/);

    const again = await keygen("--out", path, "--bits", "2048");
    assert.equal(again.code, 1);
    assert.match(again.error, /the file exists/);
    assert.equal(await Deno.readTextFile(path), pem);
    assert.equal((await keygen("--bits", "512")).code, 2);
    for (const bits of ["8192", "4097", "many"]) {
      const refused = await keygen("--out", `${folder}/other.pem`, "--bits", bits);
      assert.equal(refused.code, 2);
      assert.match(refused.error, /--bits must be a multiple of 8 from 2048 to 4096, not /);
    }
    await assert.rejects(Deno.stat(`${folder}/other.pem`), Deno.errors.NotFound);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
