import assert from "node:assert/strict";
import { temporaryFolder } from "../../../tests/harness.ts";
import { newPrivateKey } from "../encryption/keys.ts";
import { isApiKeyOpen, readApiKey, readPrivateKeyText } from "./secrets.ts";

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

Deno.test("an API key's file that everybody can read is not taken; of node.yaml with one it is said", async () => {
  const folder = await temporaryFolder();
  try {
    const path = `${folder.path}/key`;
    await Deno.writeTextFile(path, "api_key: secret\n");
    for (const [mode, taken] of [[0o644, false], [0o606, false], [0o640, true], [0o400, true]]) {
      await Deno.chmod(path, mode as number);
      const problems: string[] = [];
      await readApiKey({ api_key_file: path }, { env: {}, absolute: (one) => one, problems });
      assert.equal(problems.length, taken ? 0 : 1, String(problems));
      if (!taken) assert.match(problems[0]!, /api_key_file cannot be read: .*chmod 600/);
      assert.equal(isApiKeyOpen(path), !taken);
    }
    await Deno.writeTextFile(path, "api_key_file: elsewhere\n");
    await Deno.chmod(path, 0o644);
    assert.equal(isApiKeyOpen(path), false);
  } finally {
    await folder.remove();
  }
});
