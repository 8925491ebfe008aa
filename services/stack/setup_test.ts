import assert from "node:assert/strict";
import { join } from "node:path";
import { newUserKey } from "../../shared/broker/signing.ts";
import { issueEnrolmentCredential } from "../../shared/broker/trust.ts";
import { CACHE_FOLDER, temporaryFolder } from "../../tests/harness.ts";
import { findNatsServer, startNatsServer } from "./nats_server.ts";
import { freePort } from "./ports.ts";
import { setUpFiles } from "./setup.ts";

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}

async function inFolder(body: (folder: string) => Promise<void>) {
  const folder = await temporaryFolder();
  try {
    await body(folder.path);
  } finally {
    await folder.remove();
  }
}

Deno.test("setUpFiles() makes every secret once, for its owner only", () =>
  inFolder(async (folder) => {
    const broker = { host: "127.0.0.1", port: 4222, websocketPort: 8080 };
    await setUpFiles(folder, broker);
    const before = filesIn(folder).map((path) => [path, Deno.readTextFileSync(path)]);
    for (const [path] of before) assert.equal(Deno.statSync(path!).mode! & 0o777, 0o600, path);
    await setUpFiles(folder, broker);
    assert.deepEqual(filesIn(folder).map((path) => [path, Deno.readTextFileSync(path)]), before);
  }));

Deno.test("setUpFiles() gives the broker's trust and the dispatch key to one service each", () =>
  inFolder(async (folder) => {
    const broker = { host: "127.0.0.1", port: 4222, websocketPort: 8080 };
    const { serviceFolder } = await setUpFiles(folder, broker);
    const names = (service: "identity" | "task" | "gateway") =>
      [...Deno.readDirSync(serviceFolder(service))].map((entry) => entry.name).sort();
    assert.deepEqual(names("identity"), [
      "broker_trust.json",
      "dispatch_public_keys",
      "secrets_key",
    ]);
    assert.deepEqual(names("task"), ["dispatch_key", "enrolment.json"]);
    assert.deepEqual(names("gateway"), ["enrolment.json", "metrics_token"]);
  }));

Deno.test("setUpFiles() renews what services enrol with, from half of its time on, and from when it had none", () =>
  inFolder(async (folder) => {
    const broker = { host: "127.0.0.1", port: 4222, websocketPort: 8080 };
    const { serviceFolder } = await setUpFiles(folder, broker);
    const path = join(serviceFolder("task"), "enrolment.json");
    const trust = JSON.parse(
      await Deno.readTextFile(join(serviceFolder("identity"), "broker_trust.json")),
    );
    const day = 86_400;
    for (
      const [days, isRenewed] of [[398, false], [201, false], [199, true], [7300, true]] as const
    ) {
      const { seed, publicKey } = newUserKey();
      const { jwt } = await issueEnrolmentCredential(trust, "task", publicKey, days * day);
      const before = JSON.stringify({ seed, jwt });
      await Deno.writeTextFile(path, before);
      await setUpFiles(folder, broker);
      assert.equal(await Deno.readTextFile(path) !== before, isRenewed, `${days} days`);
    }
  }));

Deno.test("setUpFiles() writes a configuration with which nats-server starts", () =>
  inFolder(async (folder) => {
    const port = freePort();
    const websocketPort = freePort({ except: [port] });
    const { natsConfig } = await setUpFiles(folder, { host: "127.0.0.1", port, websocketPort });
    const server = await startNatsServer(await findNatsServer(CACHE_FOLDER), natsConfig);
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: websocketPort });
    connection.close();
    assert.equal(await server.stop(), true);
  }));
