import assert from "node:assert/strict";
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
    assert.deepEqual(names("identity"), ["broker_trust.json", "dispatch_public_keys"]);
    assert.deepEqual(names("task"), ["dispatch_key", "enrolment.json"]);
    assert.deepEqual(names("gateway"), ["enrolment.json"]);
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
