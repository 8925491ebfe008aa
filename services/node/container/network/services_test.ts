import assert from "node:assert/strict";
import { z } from "zod";
import { temporaryFolder } from "../../../../tests/harness.ts";
import { withContainers } from "../../../../tests/support/contained.ts";
import { containerTest, useTestEngine } from "../../../../tests/support/container_engine.ts";
import { freePort } from "../../../stack/ports.ts";
import { addressOf, type Inspected, portsOf } from "./services.ts";

const testEngine = useTestEngine();

const inspected = (change: Partial<Inspected> = {}): Inspected => ({
  Image: "sha256:1",
  State: { Running: true },
  Config: { ExposedPorts: { "5432/tcp": {}, "53/udp": {} } },
  HostConfig: { NetworkMode: "bridge" },
  NetworkSettings: { Networks: { none: { IPAddress: "" }, lan: { IPAddress: "10.88.0.5" } } },
  ...change,
});

Deno.test("portsOf() and addressOf() find where a container is reached", () => {
  assert.deepEqual(portsOf(inspected()), [5432]);
  assert.deepEqual(addressOf(inspected(), 5432), { host: "10.88.0.5", port: 5432 });
  const published = (HostIp: string) =>
    inspected({
      NetworkSettings: { Ports: { "5432/tcp": [{ HostIp, HostPort: "15432" }], "1/tcp": null } },
    });
  assert.deepEqual(portsOf(published("")), [5432, 1]);
  assert.deepEqual(addressOf(published("0.0.0.0"), 5432), { host: "127.0.0.1", port: 15432 });
  assert.deepEqual(addressOf(published("10.0.0.1"), 5432), { host: "10.0.0.1", port: 15432 });
  assert.equal(addressOf(published(""), 1), undefined);
  const host = inspected({ HostConfig: { NetworkMode: "host" } });
  assert.deepEqual(addressOf(host, 5432), { host: "127.0.0.1", port: 5432 });
  assert.equal(addressOf(inspected({ State: { Running: false } }), 5432), undefined);
});

Deno.test(
  containerTest(
    "Containers reach the service containers that the owner names, at their exposed ports",
  ),
  async () => {
    const { engine } = testEngine();
    const [open, closed] = [freePort(), freePort()];
    const image = await importService(open, closed);
    const { Id } = await engine.json("POST", "/containers/create", z.object({ Id: z.string() }), {
      body: { Image: image, HostConfig: { NetworkMode: "host" } },
    });
    await engine.done("POST", `/containers/${Id}/start`);
    const services = [{ alias: "omop", container: Id }, {
      alias: "gone",
      container: "no-such-one",
    }];
    try {
      await withContainers(testEngine(), async ({ run, log }) => {
        const outcome = await run(`
          until nc -w 5 omop ${open} < /dev/null; do :; done
          nc -w 2 omop ${closed} < /dev/null || echo not exposed
          nc -w 2 gone ${open} < /dev/null || echo unknown`);
        assert.equal(outcome.status, "completed", outcome.reason ?? "");
        assert.match(outcome.log, /^served$/m);
        assert.match(outcome.log, /not exposed/);
        assert.match(outcome.log, /unknown/);
        assert.match(log.join("\n"), /service cannot be reached[^]*gone[^]*no such container/);
        await engine.done("DELETE", `/containers/${Id}?force=true`);
        assert.match((await run(`nc -w 2 omop ${open} || echo gone now`)).log, /gone now/);
      }, { services });
    } finally {
      await engine.done("DELETE", `/containers/${Id}?force=true`).catch(() => {});
    }
  },
);

/** An image that serves at two ports and exposes one. */
async function importService(open: number, closed: number): Promise<string> {
  const folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/bin`);
  const which = await new Deno.Command("sh", { args: ["-c", "command -v busybox"] }).output();
  const busybox = new TextDecoder().decode(which.stdout).trim();
  await Deno.copyFile(busybox, `${folder.path}/bin/busybox`);
  const answer = (port: number) => `/bin/busybox nc -ll -p ${port} -e /bin/busybox echo served`;
  const name = "localhost/sextant-test-service";
  const command = ["/bin/busybox", "sh", "-c", `${answer(closed)} & ${answer(open)}`];
  await testEngine().importImage(name, folder.path, [
    `EXPOSE ${open}`,
    `CMD ${JSON.stringify(command)}`,
  ]);
  await folder.remove();
  return name;
}
