import assert from "node:assert/strict";
import { ConfigError } from "../../../shared/service/config.ts";
import { temporaryFolder } from "../../../tests/harness.ts";
import { readNodeConfig } from "./config.ts";

async function read(yaml: string) {
  const folder = await temporaryFolder();
  const path = `${folder.path}/node.yaml`;
  await Deno.writeTextFile(path, `api_key: k\nserver_url: https://hub.example\n${yaml}`);
  return await readNodeConfig(path, {}).finally(folder.remove);
}

Deno.test("readNodeConfig() reads what concerns containers under v6's names", async () => {
  const { containers } = await read(`
container: { socket: "unix:///run/podman/podman.sock", cpus: 1.5, pids: 100 }
docker_registries:
  - { registry: harbor.example, username: u, password: p }
algorithm_env: { MINIMUM: 5, STRICT: true }
algorithm_device_requests: { gpu: true }
policies: { require_algorithm_pull: false }
`);
  assert.deepEqual(containers, {
    socket: "/run/podman/podman.sock",
    limits: { cpus: 1.5, pids: 100, diskMiB: 10_240, logMiB: 1 },
    logins: [{ registry: "harbor.example", username: "u", password: "p" }],
    requirePull: false,
    pullTimeoutSeconds: 3600,
    algorithmEnv: { MINIMUM: "5", STRICT: "true" },
    gpu: true,
    whitelist: undefined,
    services: [],
    tunnels: [],
    runContext: false,
  });
});

Deno.test("readNodeConfig() demands a pull by default, and knows nodes without containers", async () => {
  assert.equal((await read("")).containers?.requirePull, true);
  assert.equal((await read("container: { enabled: false }")).containers, undefined);
});

Deno.test("readNodeConfig() reads what containers may reach, and lets databases say it themselves", async () => {
  const { containers, databases } = await read(`
whitelist: { domains: [.Example], ips: 10.0.0.0/8 }
databases:
  - { label: a, type: sql, uri: "postgresql://db.example/x" }
  - { label: b, type: sql, uri: "postgresql://db.example/x", reach: [other.example:1, "[::5]:2"] }
  - { label: c, type: sql, uri: "postgresql://db.example/x", reach: [] }
`);
  assert.deepEqual(containers?.whitelist, {
    domains: [".example"],
    ips: ["10.0.0.0/8"],
    ports: [80, 443],
  });
  assert.deepEqual(databases.map(({ reach }) => reach), [
    [{ host: "db.example", port: 5432 }],
    [{ host: "other.example", port: 1 }, { host: "::5", port: 2 }],
    [],
  ]);
});

Deno.test("readNodeConfig() knows v6's names of log levels, and mount modes", async () => {
  for (const [given, level] of [["WARNING", "warn"], ["debug", "debug"], ["Critical", "error"]]) {
    assert.equal((await read(`logging: { level: ${given} }`)).logLevel, level);
  }
  assert.equal((await read("")).logLevel, undefined);
  const { databases } = await read(
    "databases: [{ label: a, type: other, uri: node.yaml, mount_mode: copy }]",
  );
  assert.equal(databases[0]!.mountMode, "copy");
});

Deno.test("readNodeConfig() refuses an image's own variable and what is no variable", async () => {
  for (
    const [yaml, problem] of [
      ["algorithm_env: { PKG_NAME: x }", /PKG_NAME/],
      ['algorithm_env: { "a b": x }', /a b/],
      ["whitelist: { ports: [443] }", /whitelist lists neither/],
      ["whitelist: { domains: [8.8.8.8] }", /whitelist\.domains\[0\] must be a domain/],
      ["whitelist: { ips: [files.example] }", /whitelist\.ips\[0\] must be an IP address/],
      ["whitelist: { ips: [10.0.0.0/33] }", /whitelist\.ips\[0\] must be an IP address/],
      [
        'databases: [{ label: a, type: sql, uri: "postgresql://localhost:80/x" }]',
        /127\.0\.0\.1:80, where containers find their proxy/,
      ],
      ["databases: [{ label: a, type: sql, uri: x, reach: [db.example] }]", /a host and a port/],
      ["docker_services: { localhost: x }", /docker_services\.localhost/],
      [
        "ssh-tunnels: [{ hostname: w, ssh: { host: g, fingerprint: SHA256:x, identity: { username: u, key: k } }, tunnel: { bind: { port: 1 }, dest: { ip: h, port: 1 } } }]",
        /ssh-tunnels\[0\]\.ssh\.fingerprint must be the server's public key/,
      ],
      ["vpn_subnet: 10.76.0.0/16", /vpn_subnet is not an option of this node: there is no VPN/],
      ["images: { alpine: x }", /images is not an option of this node: the node starts no/],
      ["logging: { max_size: 1 }", /logging\.max_size is not an option of this node: .*JSON/],
      ["logging: { level: loud }", /logging\.level must be one of DEBUG/],
      ["container: { cpu: 2 }", /container\.cpu is not an option; did you mean cpus\?/],
    ] as const
  ) {
    await assert.rejects(read(yaml), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.problems.join(), problem);
      return true;
    });
  }
});
