import assert from "node:assert/strict";
import { startTestNats } from "../../tests/support/nats.ts";
import { temporaryFolder, waitFor } from "../../tests/harness.ts";
import { issueEnrolmentCredential } from "./trust.ts";
import { askForCredential, serveEnrolment } from "./enrolment.ts";
import { createLogger, silentLogger } from "../service/log.ts";
import { connectIdentity, connectService, connectSystem } from "./service_connection.ts";
import { newUserKey } from "./signing.ts";
import type { ServiceName } from "./subjects.ts";

async function setUp() {
  const nats = await startTestNats();
  const folder = await temporaryFolder();
  return {
    nats,
    async enrolmentFile(service: ServiceName) {
      const { seed, publicKey } = newUserKey();
      const { jwt } = await issueEnrolmentCredential(nats.trust, service, publicKey);
      const path = `${folder.path}/${service}.json`;
      await Deno.writeTextFile(path, JSON.stringify({ seed, jwt }));
      return path;
    },
    async stop() {
      await nats.stop();
      await folder.remove();
    },
  };
}

Deno.test("connectService() waits for identity and gets the service's own credential", async () => {
  const { nats, enrolmentFile, stop } = await setUp();
  const lines: string[] = [];
  const waiting = connectService({
    service: "collaboration",
    url: nats.url,
    enrolmentFile: await enrolmentFile("collaboration"),
    log: createLogger("test", { write: (line) => lines.push(line) }),
  });
  await waitFor(() => lines.some((line) => line.includes("waiting for identity")), {
    what: "a line that says what it waits for",
  });
  const identity = await connectIdentity({ url: nats.url, trust: nats.trust, log: silentLogger });
  serveEnrolment({ nc: identity.main.nc, trust: nats.trust, log: silentLogger });
  const service = await waiting;
  service.nc.publish("event.collaboration.changed", "{}");
  const system = await connectSystem({
    service: "collaboration",
    url: nats.url,
    main: service.nc,
    log: silentLogger,
  });
  const answer = await system.nc.request("$SYS.REQ.SERVER.PING.CONNZ", "{}");
  assert.match(answer.string(), /"connections"/);
  assert.ok(lines.every((line) => !line.includes("SU") && !line.includes("eyJ")), "secrets logged");
  for (const one of [system, service, identity.main, identity.system]) await one.close();
  await stop();
});

Deno.test("a service's credential is renewed again and again, and no message is lost", async () => {
  const { nats, enrolmentFile, stop } = await setUp();
  const identity = await nats.service("identity");
  serveEnrolment({ nc: identity.nc, trust: nats.trust, log: silentLogger, ttl: 2 });
  await identity.nc.flush();
  const url = nats.url;
  const log = silentLogger;
  const task = await connectService({
    service: "task",
    url,
    enrolmentFile: await enrolmentFile("task"),
    log,
  });
  const gateway = await connectService({
    service: "gateway",
    url,
    enrolmentFile: await enrolmentFile("gateway"),
    log,
  });
  task.nc.subscribe("http.task", {
    queue: "task",
    callback: (_, message) => void message.respond(),
  });
  await task.nc.flush();
  const until = Date.now() + 5000;
  while (Date.now() < until) await gateway.nc.request("http.task", "", { timeout: 1500 });
  await task.close();
  await gateway.close();
  await stop();
});

Deno.test("a service whose credential ran out while identity was away comes back with it", async () => {
  const { nats, enrolmentFile, stop } = await setUp();
  const identity = await nats.service("identity");
  serveEnrolment({ nc: identity.nc, trust: nats.trust, log: silentLogger, ttl: 2 });
  await identity.nc.flush();
  const lines: string[] = [];
  const task = await connectService({
    service: "task",
    url: nats.url,
    enrolmentFile: await enrolmentFile("task"),
    log: createLogger("test", { level: "debug", write: (line) => lines.push(line) }),
  });
  await identity.nc.close();
  await waitFor(() => lines.some((line) => line.includes("is lost")), { what: "the expiry" });
  const again = await nats.service("identity");
  serveEnrolment({ nc: again.nc, trust: nats.trust, log: silentLogger });
  await waitFor(() => lines.some((line) => line.includes("credential renewed")), {
    what: "the renewal",
    timeout: 20_000,
  });
  await waitFor(() => task.nc.whenConnected(1000), { what: "the reconnection" });
  await task.nc.flush();
  await task.close();
  await stop();
});

Deno.test("connectService() says that an enrolment has ended, and what to do, and waits for nothing", async () => {
  const { nats, stop } = await setUp();
  const { seed, publicKey } = newUserKey();
  const { jwt } = await issueEnrolmentCredential(nats.trust, "task", publicKey, -60);
  const enrolmentFile = await Deno.makeTempFile();
  await Deno.writeTextFile(enrolmentFile, JSON.stringify({ seed, jwt }));
  await assert.rejects(
    connectService({ service: "task", url: nats.url, enrolmentFile, log: silentLogger }),
    { name: "ConfigError", message: /SEXTANT_ENROLMENT.*ended at.*run the set-up again/s },
  );
  await Deno.remove(enrolmentFile);
  await stop();
});

Deno.test("serveEnrolment() refuses what is not the asker's, and answers only to the asker", async () => {
  const { nats, stop } = await setUp();
  const identity = await nats.service("identity");
  serveEnrolment({ nc: identity.nc, trust: nats.trust, log: silentLogger });
  const heard: string[] = [];
  identity.nc.subscribe("event.>", { callback: (_, message) => heard.push(message.subject) });
  await identity.nc.flush();
  const { nc } = await nats.enrolment("gateway");
  const { publicKey } = newUserKey();
  await assert.rejects(askForCredential(nc, "gateway", publicKey, true), { code: "forbidden" });
  await assert.rejects(askForCredential(nc, "gateway", "not a key"), /public key/);
  await assert.rejects(askForCredential(nc, "task", publicKey), { code: "unavailable" });
  nc.publish("enrol.gateway", JSON.stringify({ public_key: publicKey }), {
    reply: "event.task.created",
  });
  nc.publish("enrol.gateway", "not JSON", { reply: "_INBOX.enrol-gateway.x" });
  assert.ok((await askForCredential(nc, "gateway", publicKey)).jwt);
  await identity.nc.flush();
  assert.deepEqual(heard, []);
  await stop();
});
