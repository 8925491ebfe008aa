import assert from "node:assert/strict";
import { startOwnNats, startTestNats } from "../../tests/support/nats.ts";
import { waitFor } from "../../tests/harness.ts";
import { connectToBroker, isInboxOf } from "./connection.ts";
import { issueServiceCredential } from "./trust.ts";
import { silentLogger } from "../service/log.ts";
import { newUserKey, verify } from "./signing.ts";

const encoder = new TextEncoder();

Deno.test("connectToBroker() waits for the server, and comes back after it was killed", async () => {
  const nats = await startOwnNats();
  await nats.kill9();
  const connecting = nats.service("task");
  await nats.start();
  const { nc } = await connecting;
  const heard: string[] = [];
  nc.subscribe("event.>", { callback: (_, message) => heard.push(message.subject) });
  const changes: boolean[] = [];
  nc.watch((connected) => changes.push(connected));
  for (const round of [1, 2]) {
    await nats.kill9();
    await waitFor(() => changes.at(-1) === false, { what: "the loss to be noticed" });
    assert.equal(await nc.whenConnected(10), false);
    const back = nc.whenConnected(10_000);
    await nats.start();
    assert.equal(await back, true);
    nc.publish("event.task.created", String(round));
    await waitFor(() => heard.length === round, { what: "the subscription to be there again" });
  }
  assert.deepEqual(changes, [false, true, false, true]);
  await nats.stop();
});

Deno.test("BrokerConnection.renew() loses no message and keeps their order", async () => {
  const nats = await startTestNats();
  const asker = await nats.service("gateway");
  const answerer = await nats.service("task");
  answerer.nc.subscribe("http.task", {
    queue: "task",
    callback: (_, message) => void message.respond(message.data),
  });
  const numbers: number[] = [];
  answerer.nc.subscribe("event.>", { callback: (_, message) => numbers.push(message.json()) });
  await answerer.nc.flush();

  let answered = 0;
  let published = 0;
  let renewing = true;
  const asking = Array.from({ length: 8 }, async () => {
    while (renewing) {
      const { data } = await asker.nc.request("http.task", `${answered}`, { timeout: 5000 });
      assert.ok(data.length > 0);
      answered++;
    }
  });
  const publishing = (async () => {
    const { nc } = await nats.service("identity");
    while (renewing) {
      for (let n = 0; n < 20; n++) nc.publish("event.task.created", String(published++));
      await nc.flush();
    }
  })();
  for (let round = 0; round < 10; round++) {
    const before = answered;
    await Promise.all([asker.nc.renew(), answerer.nc.renew()]);
    await waitFor(() => answered > before + 50, { what: "requests after the renewal" });
  }
  renewing = false;
  await Promise.all([...asking, publishing]);
  await answerer.nc.flush();
  // A few may come twice while both sockets are subscribed; none may be missing or out of order.
  const once = [...new Set(numbers)];
  assert.deepEqual(once, Array.from({ length: published }, (_, n) => n));
  assert.ok(numbers.length - once.length <= 10 * 40, `${numbers.length - once.length} came twice`);
  await nats.stop();
});

Deno.test("BrokerConnection.renew() lets a node go on hearing its dispatches", async () => {
  const nats = await startTestNats();
  const { nc: task } = await nats.service("task");
  const { nc: node } = await nats.node(1);
  const seen = new Set<number>();
  node.subscribe("dispatch.1", { callback: (_, message) => void seen.add(message.json()) });
  await node.flush();
  let published = 0;
  for (let round = 0; round < 5; round++) {
    const renewal = node.renew();
    for (let n = 0; n < 50; n++) {
      task.publish("dispatch.1", String(published++));
      await task.flush();
    }
    await renewal;
  }
  await waitFor(() => seen.size === published, { what: "all dispatches", timeout: 10_000 });
  await nats.stop();
});

Deno.test("BrokerConnection.renew() keeps subscriptions as they are, also those made or ended meanwhile", async () => {
  const nats = await startTestNats();
  const { nc } = await nats.service("task");
  const other = await nats.service("identity");
  const heard: string[] = [];
  const listen = (subject: string) =>
    nc.subscribe(subject, {
      callback: (_, message) => heard.push(`${subject} ${message.string()}`),
    });
  const ended = listen("event.ended.before");
  const endedMeanwhile = listen("event.ended.meanwhile");
  listen("event.kept.x");
  ended.unsubscribe();
  const renewal = nc.renew();
  listen("event.made.meanwhile");
  endedMeanwhile.unsubscribe();
  await renewal;
  listen("event.made.after");
  await nc.flush();
  for (
    const subject of ["ended.before", "ended.meanwhile", "kept.x", "made.meanwhile", "made.after"]
  ) {
    other.nc.publish(`event.${subject}`, "1");
  }
  await other.nc.flush();
  await nc.flush();
  assert.deepEqual(heard, ["event.kept.x 1", "event.made.meanwhile 1", "event.made.after 1"]);
  await nats.stop();
});

Deno.test("BrokerConnection.renew() outlives the first credential; without it the server closes the connection", async () => {
  const nats = await startTestNats();
  const key = newUserKey();
  let credential = await issueServiceCredential(nats.trust, "task", key.publicKey, 3);
  const nc = await connectToBroker({
    url: nats.url,
    name: "task",
    credential: { seed: key.seed, jwt: () => credential.jwt },
    inboxPrefix: "_INBOX.task",
    log: silentLogger,
  });
  const first = credential;
  const changes: boolean[] = [];
  nc.watch((connected) => changes.push(connected));
  credential = await issueServiceCredential(nats.trust, "task", key.publicKey, 4);
  await nc.renew();
  await waitFor(() => Date.now() > first.expiresAt.getTime() + 300, { what: "the first expiry" });
  assert.deepEqual(changes, []);
  // Not renewed now, only replaced: the server closes, and the client comes back with the newest.
  const second = credential;
  credential = await issueServiceCredential(nats.trust, "task", key.publicKey, 60);
  await waitFor(() => changes.length === 2, { what: "the reconnection" });
  assert.ok(Date.now() > second.expiresAt.getTime() - 1000);
  assert.deepEqual(changes, [false, true]);
  await nc.flush();
  await nc.close();
  await nats.stop();
});

Deno.test("BrokerConnection.renew() leaves the connection as it is when the server refuses the new log-in", async () => {
  const nats = await startOwnNats();
  const key = newUserKey();
  const good = await issueServiceCredential(nats.trust, "task", key.publicKey, 60);
  let jwt = good.jwt;
  const nc = await connectToBroker({
    url: nats.url,
    name: "task",
    credential: { seed: key.seed, jwt: () => jwt },
    inboxPrefix: "_INBOX.task",
    log: silentLogger,
  });
  jwt = "not a credential";
  await assert.rejects(nc.renew(), /Authorization Violation/i);
  await nc.flush();
  jwt = good.jwt;
  await nc.renew();
  // Killed in the middle of a renewal: it fails or not, and the client reconnects.
  const renewal = nc.renew().catch(() => {});
  await nats.kill9();
  await renewal;
  await nats.start();
  await waitFor(() => nc.whenConnected(100), { what: "the connection to come back" });
  await nc.flush();
  await nc.close();
  await assert.rejects(nc.renew(), /closed/);
  await nats.stop();
});

Deno.test("connections come back whose credential ran out just as they logged in", async () => {
  const nats = await startTestNats();
  // The server lets in during the last second, and throws out at once: at which point is chance.
  await Promise.all(Array.from({ length: 15 }, async () => {
    const key = newUserKey();
    let credential = await issueServiceCredential(nats.trust, "task", key.publicKey, 2);
    const nc = await connectToBroker({
      url: nats.url,
      name: "task",
      credential: { seed: key.seed, jwt: () => credential.jwt },
      inboxPrefix: "_INBOX.task",
      log: silentLogger,
    });
    await waitFor(() => Date.now() > credential.expiresAt.getTime() + 1000, { what: "expiry" });
    credential = await issueServiceCredential(nats.trust, "task", key.publicKey, 60);
    // What logged in just before with the old credential is thrown out once more.
    await waitFor(async () => {
      if (!await nc.whenConnected(1000)) return false;
      await nc.flush();
      return true;
    }, { what: "the connection to come back" });
    await nc.close();
  }));
  await nats.stop();
});

Deno.test("BrokerConnection.drain() sends what waits, and ends without a server too", async () => {
  const nats = await startOwnNats();
  const { nc: listener } = await nats.service("identity");
  const { nc } = await nats.service("task");
  let heard = 0;
  listener.subscribe("event.>", { callback: () => void heard++ });
  await listener.flush();
  for (let n = 0; n < 1000; n++) nc.publish("event.task.created");
  await nc.drain();
  await nc.drain();
  assert.equal(nc.isClosed(), true);
  await listener.flush();
  assert.equal(heard, 1000);
  await nats.kill9();
  await listener.drain();
  assert.equal(listener.isClosed(), true);
  await nats.stop();
});

Deno.test("isInboxOf() accepts only inboxes of the named owners", () => {
  assert.equal(isInboxOf("_INBOX.task.x.1", ["task"]), true);
  assert.equal(isInboxOf("_INBOX.7.x", [7]), true);
  for (
    const reply of [undefined, "", "_INBOX.task", "_INBOX.task2.x", "dispatch.7", "_INBOX.8.x"]
  ) {
    assert.equal(isInboxOf(reply, ["task", 7]), false, reply);
  }
});

Deno.test("connectToBroker() signs nothing for a false broker that asks for a report's signature", async () => {
  const key = newUserKey();
  const payload = JSON.stringify({ result_id: 7, status: "completed" });
  const asked = [
    `report.3.finish\n${payload}`,
    `sextant message 1\nreport.3.finish\n${payload}`,
    "PXoWU7zWAMt75FY",
  ];
  const signed: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => {
      const nonce = asked[Math.min(signed.length, asked.length - 1)];
      const info = { server_id: "false", version: "2.10.0", max_payload: 1048576, headers: true };
      socket.send(encoder.encode(`INFO ${JSON.stringify({ ...info, nonce })}\r\n`));
    };
    socket.onmessage = async ({ data }) => {
      const text = typeof data === "string" ? data : await new Response(data).text();
      const connect = /CONNECT (\{.*\})\r\n/.exec(text);
      if (connect) signed.push(JSON.parse(connect[1]!).sig ?? "");
      if (signed.length < asked.length) socket.close();
      else if (text.includes("PING")) socket.send(encoder.encode("PONG\r\n"));
    };
    return response;
  });
  const nc = await connectToBroker({
    url: `ws://127.0.0.1:${server.addr.port}`,
    name: "node",
    credential: { seed: key.seed, jwt: () => "jwt" },
    inboxPrefix: "_INBOX.3",
    log: silentLogger,
  });
  assert.deepEqual(signed.slice(0, 2), ["", ""]);
  assert.notEqual(signed[2], "", "a nonce is signed");
  for (const signature of signed) {
    assert.equal(
      verify(key.publicKey, "report.3.finish", encoder.encode(payload), signature),
      false,
    );
  }
  await nc.close();
  await server.shutdown();
});
