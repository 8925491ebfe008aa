import assert from "node:assert/strict";
import { nodeUnit } from "../../services/node/unit.ts";
import { hubUnit } from "../../services/stack/unit.ts";
import { temporaryFolder } from "../../tests/harness.ts";

const HUB = { data: undefined, args: ["--port", "443", "--nodes", "/etc/sextant/a node %.yaml"] };
const LOGS = { data: "/srv/hub", args: [], writes: ["/var/log/sextant"], withNodes: true };

async function isThere(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", { args: ["-c", `command -v ${program}`] })
    .output();
  return success;
}
const missing = !await isThere("systemd-analyze");
if (missing) {
  console.log("Units are not verified: there is no systemd-analyze (apt install systemd)");
}

const UNITS = {
  hub: hubUnit(HUB),
  node: nodeUnit({ config: "/etc/sextant/node.yaml", dataFolder: "/etc/sextant/node-data" }),
};

for (const [name, text] of Object.entries(UNITS)) {
  Deno.test(
    `the unit of the ${name} is one that systemd takes, and is closed to what it needs not`,
    {
      ignore: missing,
    },
    async () => {
      const folder = await temporaryFolder();
      try {
        const path = `${folder.path}/sextant-${name}.service`;
        await Deno.writeTextFile(path, text);
        const analyze = async (...args: string[]) => {
          const run = new Deno.Command("systemd-analyze", { args: [...args, path] });
          const { code, stdout, stderr } = await run.output();
          const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
          return { code, text: out! + err! };
        };
        const verified = await analyze("verify");
        assert.equal(verified.code, 0, verified.text);
        assert.doesNotMatch(verified.text, new RegExp(`sextant-${name}`), verified.text);
        // Of 10, which is a service without any limits.
        const { text: security } = await analyze("security", "--offline=true");
        const exposure = Number(/exposure level for .*: ([\d.]+)/.exec(security)?.[1]);
        assert.ok(exposure <= (name === "hub" ? 3.5 : 5), `${exposure}\n${security}`);
      } finally {
        await folder.remove();
      }
    },
  );
}

Deno.test("a unit has its own user, is started again, and quotes what it is started with", () => {
  const { hub, node } = UNITS;
  for (const line of ["User=sextant", "Restart=on-failure", "NoNewPrivileges=true"]) {
    assert.match(hub, new RegExp(`^${line}`, "m"));
    assert.match(node, new RegExp(`^${line}`, "m"));
  }
  assert.match(
    hub,
    /^ExecStart=.* up --data \/var\/lib\/sextant\/hub --port 443 --nodes "\/etc\/sextant\/a node %%\.yaml"$/m,
  );
  assert.match(node, /^ExecStart=.*services\/node\/main\.ts --config \/etc\/sextant\/node\.yaml$/m);
  // What the sandbox makes namespaces with.
  assert.doesNotMatch(node, /RestrictNamespaces|ProtectKernelTunables/);
  assert.match(hub, /^RestrictNamespaces=true$/m);
  assert.doesNotMatch(hubUnit(LOGS), /RestrictNamespaces/);
  assert.match(hubUnit(LOGS), /^ReadWritePaths=\/srv\/hub \/var\/log\/sextant$/m);
  assert.match(node, /^ReadWritePaths=\/etc\/sextant\/node-data$/m);
});
