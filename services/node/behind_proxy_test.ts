import assert from "node:assert/strict";
import { sha256Hex } from "../../shared/service/digest.ts";
import { waitFor } from "../../tests/harness.ts";
import { type Certificates, makeCertificates } from "../../tests/support/certificates.ts";
import { type ForwardProxy, startForwardProxy } from "../../tests/support/forward_proxy.ts";
import { API_KEY, type HubDouble, startHubDouble } from "../../tests/support/hub_double.ts";
import { nodeFolder, startAgentProcess } from "../../tests/support/node_agent.ts";
import { startTlsFront, type TlsFront } from "../../tests/support/tls_front.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;
const LOGIN = "reader:p%40ss";

/**
 * A hub that only the proxy finds, with a certificate of an authority that only the hospital knows.
 */
interface Hospital {
  hub: HubDouble;
  front: TlsFront;
  proxy: ForwardProxy;
  certificates: Certificates;
}

async function withHospital(work: (hospital: Hospital) => Promise<void>): Promise<void> {
  const certificates = await makeCertificates(["hub.test", "code.test"]);
  const hub = await startHubDouble();
  const broker = Number(new URL(hub.natsUrl).port);
  const front = await startTlsFront({ certificates, api: hub.port, broker });
  hub.natsUrl = "wss://hub.test/nats";
  const proxy = await startForwardProxy({ login: "reader:p@ss" });
  for (const name of ["hub.test:443", "code.test:443"]) proxy.routes.set(name, front.port);
  try {
    await work({ hub, front, proxy, certificates });
  } finally {
    await proxy.stop();
    await front.stop();
    await hub.stop();
    await certificates.remove();
  }
}

/** Configuration and variables of a node there; `options` are the file's own. */
async function withNode(
  options: Record<string, unknown>,
  work: (configPath: string) => Promise<void>,
): Promise<void> {
  const hubOptions = { server_url: "https://hub.test", port: 443, container: { enabled: false } };
  const folder = await nodeFolder({ port: 443 }, API_KEY, { ...hubOptions, ...options });
  try {
    await work(folder.configPath);
  } finally {
    await folder.remove();
  }
}

/** A command as it is typed. */
async function type(name: string, configPath: string, env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", MAIN, name, "--config", configPath],
    env: { SEXTANT_LOG_LEVEL: "warn", ...env },
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

const CODE = "export function shout(_context, { word }) { return word.toUpperCase(); }\n";

Deno.test("an agent behind a proxy with a password, and a private authority, does all its work through them", async () => {
  await withHospital(async ({ hub, front, proxy, certificates }) => {
    const digest = await sha256Hex(CODE);
    const address = `https://code.test/shout.ts#sha256=${digest}`;
    front.files.set("/shout.ts", CODE);
    const options = {
      proxy: `http://${LOGIN}@${proxy.address}`,
      ca: certificates.ca,
      policies: { allowed_algorithms: ["deno:test", `deno:${address}`] },
    };
    await withNode(options, async (configPath) => {
      const agent = startAgentProcess(configPath);
      await agent.ready;
      const small = await hub.post({
        image: "deno:test@1.0",
        input: { method: "mean", kwargs: { column: "age" } },
        databases: ["default"],
      });
      assert.equal(atob((await hub.final(small)).result!), "30");
      const large = await hub.post({
        image: "deno:test@1.0",
        input: { method: "big", kwargs: { bytes: 3_000_000 } },
      });
      assert.equal(atob((await hub.final(large)).result!).length, 3_000_002);
      assert.equal(hub.asked.get("POST /blobstream"), 1, "the large one went on its own");
      const fetched = await hub.post({
        image: `deno:${address}`,
        input: { method: "shout", kwargs: { word: "far" } },
      });
      assert.equal(atob((await hub.final(fetched)).result!), '"FAR"');

      const status = await type("status", configPath);
      assert.equal(status.code, 0, status.text);
      const check = await type("check", configPath);
      assert.match(
        check.text,
        /ok {4}way out +to https:\/\/hub\.test\/api through the proxy http:\/\/reader@/,
      );
      for (const name of ["connection", "API key", "broker", "large payloads"]) {
        assert.match(check.text, new RegExp(`^ok {4}${name} `, "m"), check.text);
      }
      assert.doesNotMatch(check.text, /p@ss|p%40ss/);
      await agent.stop();
      const log = agent.lines.join("\n");
      assert.doesNotMatch(log, /p@ss|p%40ss/, "the password stands in no log");
    });
    // The API, the broker, the upload: a tunnel each at least. There is no other way to hub.test.
    assert.ok(proxy.passed.filter((what) => what === "CONNECT hub.test:443").length >= 3);
    assert.deepEqual(proxy.passed.filter((what) => what.includes("code.test")), [
      "CONNECT code.test:443",
    ]);
    assert.equal(proxy.refused, 0);
  });
});

Deno.test("an agent without settings of its own heeds the variables that other programs heed", async () => {
  await withHospital(async ({ hub, proxy, certificates }) => {
    await withNode({}, async (configPath) => {
      const agent = startAgentProcess(configPath, {
        variables: {
          https_proxy: `http://${LOGIN}@${proxy.address}`,
          SSL_CERT_FILE: certificates.ca,
          NO_PROXY: "other.test",
        },
      });
      await agent.ready;
      const large = await hub.post({
        image: "deno:test@1.0",
        input: { method: "big", kwargs: { bytes: 3_000_000 } },
      });
      assert.equal((await hub.final(large)).status, "completed");
      await agent.stop();
    });
    assert.ok(proxy.passed.length >= 3);
  });
});

Deno.test("an agent that cannot get out says what it waits for and why; check names the reason of each way", async () => {
  await withHospital(async ({ hub, proxy, certificates }) => {
    const wrong = `http://reader:wrong@${proxy.address}`;
    await withNode({ proxy: wrong, ca: certificates.ca }, async (configPath) => {
      const agent = startAgentProcess(configPath);
      const status = await waitFor(async () => {
        const { text } = await type("status", configPath);
        return text.includes("because") ? text : undefined;
      }, { what: "the reason", timeout: 30_000 });
      assert.match(status, /^agent +runs, process/m);
      assert.match(status, /^waiting +for the hub, before it takes work$/m);
      assert.match(
        status,
        /^because .*the proxy http:\/\/reader@127\S+ wants a name and password/m,
      );
      await agent.stop();
      const check = await type("check", configPath);
      assert.equal(check.code, 1);
      assert.match(
        check.text,
        /^FAIL {2}connection .*wants a name and password, or does not take these/m,
      );
    });

    const options = { proxy: `http://${LOGIN}@${proxy.address}` };
    await withNode(options, async (configPath) => {
      const check = await type("check", configPath);
      assert.match(
        check.text,
        /^FAIL {2}connection .*of an authority that is not known here; name/m,
      );
    });

    // The API can be reached, the broker cannot: as behind a firewall that knows no WebSockets.
    hub.natsUrl = "wss://broker.test/nats";
    await withNode({ ...options, ca: certificates.ca }, async (configPath) => {
      const agent = startAgentProcess(configPath);
      const status = await waitFor(async () => {
        const { text } = await type("status", configPath);
        return text.includes("because") ? text : undefined;
      }, { what: "the reason", timeout: 30_000 });
      assert.match(status, /^node +test node \(id 7\)$/m);
      assert.match(status, /^waiting +for the broker, before it takes work$/m);
      assert.match(status, /^because .*502 \(the proxy \S+ does not let it through\)$/m);
      const line = await waitFor(
        () => agent.lines.find((one) => one.includes("NATS does not answer yet")),
        { what: "the log to say so" },
      );
      assert.match(line, /does not let it through/);
      await agent.stop();
      const check = await type("check", configPath);
      assert.match(check.text, /^ok {4}connection /m);
      assert.match(check.text, /^FAIL {2}broker .*wss:\/\/broker\.test\/nats: .*does not let it/m);
      assert.match(check.text, /^ok {4}large payloads /m);
    });
  });
});
