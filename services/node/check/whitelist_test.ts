import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { temporaryFolder } from "../../../tests/harness.ts";
import { startForwardProxy } from "../../../tests/support/forward_proxy.ts";
import { freePort } from "../../stack/ports.ts";
import { readNodeConfig } from "../config/config.ts";
import type { Finding } from "./finding.ts";
import { checkWhitelist } from "./whitelist.ts";

async function look(yaml: string): Promise<Finding[]> {
  const folder = await temporaryFolder();
  const path = `${folder.path}/node.yaml`;
  await Deno.writeTextFile(path, `api_key: k\nserver_url: https://hub.example\n${yaml}`);
  try {
    return await Array.fromAsync(checkWhitelist(await readNodeConfig(path, {})));
  } finally {
    await folder.remove();
  }
}

async function startWeb() {
  const server = createServer((_, answer) => {
    answer.writeHead(404);
    answer.end("nothing at the root");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { port, stop: () => void (server.closeAllConnections(), server.close()) };
}

Deno.test("checkWhitelist() tells which hosts containers reach directly, and why others not", async () => {
  const web = await startWeb();
  const closed = freePort();
  try {
    const whitelist = `{ ips: [127.0.0.1, 10.0.0.0/8], ports: [${web.port}, ${closed}] }`;
    const [here, ...more] = await look(`proxy: none\nwhitelist: ${whitelist}`);
    assert.deepEqual(more, []);
    assert.deepEqual([here!.name, here!.well], ["whitelist 127.0.0.1", true]);
    assert.equal(here!.note, `containers reach it at port ${web.port}, directly`);
    const shut = `{ ips: [127.0.0.1], domains: [localhost, .example], ports: [${closed}] }`;
    const findings = await look(`proxy: none\nwhitelist: ${shut}`);
    assert.deepEqual(findings.map(({ well }) => well), [false, false]);
    for (const { note } of findings) {
      assert.match(note, new RegExp(`^port ${closed}: .*refused`, "i"));
    }
    assert.deepEqual(await look(""), []);
  } finally {
    web.stop();
  }
});

Deno.test("checkWhitelist() asks the owner's proxy as containers do, and says what it answers", async () => {
  const web = await startWeb();
  const proxy = await startForwardProxy({ login: "reader:secret" });
  for (const port of [80, 443]) proxy.routes.set(`files.test:${port}`, web.port);
  const whitelist = "whitelist: { domains: [files.test, lost.test] }";
  try {
    const [files, lost] = await look(`proxy: http://reader:secret@${proxy.address}\n${whitelist}`);
    assert.equal(
      files!.note,
      `containers reach it at port 80, 443, through the proxy http://reader@${proxy.address}`,
    );
    assert.equal(lost!.well, false);
    assert.match(
      lost!.note,
      /port 443: .*502 Bad Gateway \(the proxy .* does not let it through\)/,
    );
    assert.ok(proxy.passed.includes("GET http://files.test/"));
    const [refused] = await look(`proxy: http://reader:wrong@${proxy.address}\n${whitelist}`);
    assert.equal(refused!.well, false);
    assert.match(refused!.note, /port 80: .*wants a name and password.*; port 443: .*wants a name/);
    assert.ok(!refused!.note.includes("wrong"));
  } finally {
    await proxy.stop();
    web.stop();
  }
});
