import assert from "node:assert/strict";
import { temporaryFolder } from "../../../tests/harness.ts";
import { newPrivateKey } from "../encryption/keys.ts";
import { openApiKeyFile, readPrivateKeyText } from "./secrets.ts";

Deno.test("a private key that everybody on the machine can read is not taken, and it is said what to do", async () => {
  const folder = await temporaryFolder();
  try {
    const path = `${folder.path}/key.pem`;
    await Deno.writeTextFile(path, await newPrivateKey(2048));
    for (const [mode, taken] of [[0o644, false], [0o602, false], [0o640, true], [0o600, true]]) {
      await Deno.chmod(path, mode as number);
      const problems: string[] = [];
      const text = await readPrivateKeyText(
        { enabled: true, private_key: path },
        { env: {}, absolute: (one) => one, problems },
      );
      assert.equal(text !== undefined, taken, String(mode));
      assert.equal(problems.length, taken ? 0 : 1);
      if (!taken) assert.match(problems[0]!, /chmod 600/);
    }
  } finally {
    await folder.remove();
  }
});

Deno.test("openApiKeyFile() names the file with the API key that everybody can read", async () => {
  const folder = await temporaryFolder();
  try {
    const [config, key] = [`${folder.path}/node.yaml`, `${folder.path}/key`];
    await Deno.writeTextFile(key, "secret");
    for (const [text, file] of [["api_key: secret\n", config], ["api_key_file: key\n", key]]) {
      await Deno.writeTextFile(config, text!);
      for (const mode of [0o644, 0o606]) {
        await Deno.chmod(file!, mode);
        assert.equal(openApiKeyFile(config), file);
      }
      for (const mode of [0o640, 0o400]) {
        await Deno.chmod(file!, mode);
        assert.equal(openApiKeyFile(config), undefined);
      }
      await Deno.chmod(file!, 0o600);
    }
    await Deno.writeTextFile(config, "server_url: http://x\n");
    assert.equal(openApiKeyFile(config), undefined, "the key is in a variable");
  } finally {
    await folder.remove();
  }
});
