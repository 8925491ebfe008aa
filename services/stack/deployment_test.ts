import assert from "node:assert/strict";
import { temporaryFolder } from "../../tests/harness.ts";
import { keepSecret, lockDeployment, readPorts, writePorts } from "./deployment.ts";

async function inFolder(body: (folder: string) => Promise<void>) {
  const folder = await temporaryFolder();
  try {
    await body(folder.path);
  } finally {
    await folder.remove();
  }
}

Deno.test("keepSecret() makes a secret once and lets nobody else read it", () =>
  inFolder(async (folder) => {
    const path = `${folder}/deeper/secret`;
    assert.equal(await keepSecret(path, () => "first"), "first");
    assert.equal(await keepSecret(path, () => "second"), "first");
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    assert.deepEqual([...Deno.readDirSync(`${folder}/deeper`)].map((entry) => entry.name), [
      "secret",
    ]);
  }));

Deno.test("keepSecret() takes no secret that everybody can read or change", () =>
  inFolder(async (folder) => {
    const path = `${folder}/secret`;
    await keepSecret(path, () => "first");
    for (const [mode, taken] of [[0o604, false], [0o602, false], [0o640, true], [0o400, true]]) {
      await Deno.chmod(path, mode as number);
      const kept = keepSecret(path, () => "second");
      if (taken) assert.equal(await kept, "first");
      else await assert.rejects(kept, /everybody .* key file .*secret; chmod 600/);
    }
  }));

Deno.test("readPorts() returns what was written, and nothing when the file is broken", () =>
  inFolder(async (folder) => {
    assert.deepEqual(await readPorts(folder), {});
    await writePorts(folder, { gateway: 7601 });
    assert.deepEqual(await readPorts(folder), { gateway: 7601 });
    await Deno.writeTextFile(`${folder}/ports.json`, `{"gateway":"x"}`);
    assert.deepEqual(await readPorts(folder), {});
  }));

Deno.test("lockDeployment() keeps a second launcher out until the first is gone", () =>
  inFolder(async (folder) => {
    const first = await lockDeployment(folder);
    await assert.rejects(
      lockDeployment(folder, 0),
      new RegExp(`another launcher \\(process ${Deno.pid}\\) works in`),
    );
    const second = lockDeployment(folder, 5000);
    first.release();
    (await second).release();
  }));
