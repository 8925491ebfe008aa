import assert from "node:assert/strict";
import { temporaryFolder } from "../../../tests/harness.ts";
import { freePort } from "../../stack/ports.ts";
import { readNodeConfig } from "../config/config.ts";
import { checkAddress, checkSurroundings } from "./network.ts";

async function withConfig(
  yaml: string,
  use: (config: Awaited<ReturnType<typeof readNodeConfig>>, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  const path = `${folder.path}/node.yaml`;
  await Deno.writeTextFile(path, `api_key: k\nserver_url: https://hub.example\n${yaml}`);
  try {
    await use(await readNodeConfig(path, {}), folder.path);
  } finally {
    await folder.remove();
  }
}

Deno.test("checkAddress() tells whether a database answers, unless that is a tunnel's or a service's business", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const closed = freePort();
  const yaml = `
docker_services: { omop: some-container }
databases:
  - { label: open, type: sql, uri: "postgresql://127.0.0.1:${port}/x" }
  - { label: closed, type: sql, uri: "postgresql://127.0.0.1:${closed}/x" }
  - { label: service, type: sql, uri: "postgresql://omop/x" }
  - { label: here, type: sql, uri: "postgresql://host.docker.internal:${port}/x" }
  - { label: unknown, type: other, uri: "strange:thing" }
`;
  await withConfig(yaml, async (config) => {
    const findings = await Promise.all(config.databases.map((one) => checkAddress(one, config)));
    assert.deepEqual(findings.map(({ well }) => well), [true, false, true, true, true]);
    const [open, shut, service, here, unknown] = findings.map(({ note }) => note);
    assert.equal(open, `containers that ask for it reach 127.0.0.1:${port}`);
    assert.match(shut!, new RegExp(`127\\.0\\.0\\.1:${closed} does not answer: .*refused`));
    assert.match(service!, /omop:5432/);
    assert.match(here!, /host\.docker\.internal/);
    assert.match(unknown!, /say where in reach/);
  });
  listener.close();
});

Deno.test("checkSurroundings() finds a tunnel's key that is missing or open to others", async () => {
  const yaml = `
ssh-tunnels:
  - hostname: warehouse
    ssh:
      host: gate.example
      fingerprint: ssh-ed25519 AAAA
      identity: { username: tunnel, key: ./key }
    tunnel: { bind: { port: 5432 }, dest: { ip: 10.1.2.3, port: 5432 } }
`;
  await withConfig(yaml, async (config, folder) => {
    assert.deepEqual(config.containers!.tunnels, [{
      target: { host: "warehouse", port: 5432 },
      server: { host: "gate.example", port: 22 },
      username: "tunnel",
      key: `${folder}/key`,
      hostKey: "ssh-ed25519 AAAA",
      destination: { host: "10.1.2.3", port: 5432 },
    }]);
    const look = async () => (await Array.fromAsync(checkSurroundings(config, undefined)))[1]!;
    assert.match((await look()).note, /cannot be read/);
    await Deno.writeTextFile(`${folder}/key`, "", { mode: 0o644 });
    assert.match((await look()).note, /others can read/);
    await Deno.chmod(`${folder}/key`, 0o600);
    assert.deepEqual(await look(), {
      name: "ssh-tunnel warehouse",
      well: true,
      note: "containers reach it at warehouse:5432",
    });
  });
});
