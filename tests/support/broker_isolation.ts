/**
 * What a node's credential cannot do on the broker, tried with a real one that the hub has issued:
 * the same with each nats-server that Sextant runs on.
 */
import assert from "node:assert/strict";
import { createInbox } from "nats.ws";
import { createApiClient } from "./api.ts";
import { silentLogger } from "../../shared/service/log.ts";
import {
  type BrokerConnection,
  connectToBroker,
  newHeaders,
} from "../../shared/broker/connection.ts";
import { newUserKey, sign, SIGNATURE_HEADER } from "../../shared/broker/signing.ts";
import { NODE_PROTOCOL } from "../../shared/node_protocol/reports.ts";
import { signAsNode } from "../../shared/node_protocol/node_signature.ts";
import { connectAsTask, trustOf } from "../bench/behind.ts";
import { startTestStack, type TestStack, waitFor } from "../harness.ts";
import { createSite, encodeInput, type Member, type Site } from "../site.ts";
import { hearRefusals } from "./refusals.ts";

interface NatsServer {
  /** The path of the program. */
  find: () => Promise<string>;
  /** Whether it is one of the version that is meant. */
  isMeant: (version: string) => boolean;
}

let server: NatsServer;

/** With which nats-server the tests of this module run. */
export function useNatsServer(given: NatsServer): void {
  server = given;
}

let running: TestStack | undefined;
const stack = () => running!;
let site: Site;
let mine: Member;
let other: Member;
let nc: BrokerConnection;
const { log, refusals } = hearRefusals(silentLogger);
let key: { seed: string; publicKey: string };
let credential: { jwt: string; nats_url: string };

// The first member plays the attacker with the key of its own node; the second runs a real node.
Deno.test.beforeAll(async () => {
  Deno.env.set("SEXTANT_NATS_SERVER", await server.find());
  running = await startTestStack();
  site = await createSite(stack(), { data: ["x\n1\n", "x\n2\n"] });
  [mine, other] = site.members as [Member, Member];
  await site.startNode(other);
  nc = await connectAs(mine);
});
Deno.test.afterAll(async () => {
  await nc?.close();
  await running?.stop();
});

async function connectAs(member: Member): Promise<BrokerConnection> {
  const api_key = /api_key: (\S+)/.exec(await Deno.readTextFile(member.config))![1];
  const hub = createApiClient(stack().gatewayUrl);
  const { access_token } = await hub.post("/token/node", { api_key });
  key = newUserKey();
  credential = await hub.as(access_token).post("/token/broker", {
    public_key: key.publicKey,
    protocol: NODE_PROTOCOL,
  });
  assert.equal(JSON.stringify(credential).includes(key.seed), false);
  return await connectToBroker({
    url: credential.nats_url,
    name: "attacker",
    credential: { seed: key.seed, jwt: () => credential.jwt },
    inboxPrefix: `_INBOX.${member.nodeId}`,
    log,
  });
}

/** Acts, and waits for the broker to say that there is no right to that. */
async function assertRefused(act: () => void, subject: string): Promise<void> {
  const before = refusals.length;
  act();
  await waitFor(
    () => refusals.slice(before).some(({ reason }) => reason.includes("PERMISSIONS_VIOLATION")),
    { what: `the broker to refuse ${subject}` },
  );
}

const text = new TextEncoder();

Deno.test("the broker is the nats-server that is meant", async () => {
  const greeting = Promise.withResolvers<string>();
  const socket = new WebSocket(credential.nats_url);
  socket.onmessage = async ({ data }) => greeting.resolve(await new Response(data).text());
  socket.onerror = () => greeting.reject(new Error("the broker does not answer"));
  const { version } = JSON.parse((await greeting.promise).replace(/^INFO /, ""));
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  await closed;
  assert.ok(server.isMeant(version), version);
});

Deno.test("a node's credential is refused on other nodes' subjects, streams and inboxes", async (t) => {
  const b = () => other.nodeId;
  const publishes: [string, () => string][] = [
    ["dispatch of another node", () => `dispatch.${b()}`],
    ["its own dispatch", () => `dispatch.${mine.nodeId}`],
    ["report as another node", () => `report.${b()}.finish`],
    ["log as another node", () => `log.${b()}.1`],
    ["kill", () => `kill.${b()}`],
    ["a consumer named like it", () => `$JS.API.CONSUMER.INFO.DISPATCH.${mine.nodeId}`],
    ["messages for it", () => `$JS.API.CONSUMER.MSG.NEXT.DISPATCH.${mine.nodeId}`],
    ["acknowledging them", () => `$JS.ACK.DISPATCH.${mine.nodeId}.1.1.1.1.1`],
    ["a service's events", () => "$JS.API.CONSUMER.MSG.NEXT.EVENTS.task"],
    ["another node's consumer", () => `$JS.API.CONSUMER.INFO.DISPATCH.${b()}`],
    ["another node's messages", () => `$JS.API.CONSUMER.MSG.NEXT.DISPATCH.${b()}`],
    ["another node's acknowledgements", () => `$JS.ACK.DISPATCH.${b()}.1.1.1.1.1`],
    ["making a consumer", () => "$JS.API.CONSUMER.CREATE.DISPATCH.x.dispatch.1"],
    ["making a durable consumer", () => "$JS.API.CONSUMER.DURABLE.CREATE.DISPATCH.x"],
    ["deleting a consumer", () => `$JS.API.CONSUMER.DELETE.DISPATCH.${b()}`],
    ["purging the stream", () => "$JS.API.STREAM.PURGE.DISPATCH"],
    ["deleting the stream", () => "$JS.API.STREAM.DELETE.DISPATCH"],
    ["reading the stream", () => "$JS.API.STREAM.MSG.GET.DISPATCH"],
    ["the account's streams", () => "$JS.API.STREAM.NAMES"],
    ["an event", () => "event.node.presence"],
    ["a request to a service", () => "http.identity"],
    ["a question to a service", () => "rpc.identity.user"],
    ["an enrolment", () => "enrol.task"],
    ["the system account", () => "$SYS.REQ.SERVER.PING"],
    ["another's inbox", () => `_INBOX.${b()}.x`],
  ];
  for (const [what, subject] of publishes) {
    await t.step(`publish: ${what}`, async () => {
      await assertRefused(() => nc.publish(subject(), "{}"), subject());
    });
  }
  const subscribes: [string, () => string][] = [
    ["another node's inbox", () => `_INBOX.${b()}.>`],
    ["all inboxes", () => "_INBOX.>"],
    ["everything", () => ">"],
    ["dispatches", () => "dispatch.>"],
    ["reports", () => "report.>"],
    ["another node's kills", () => `kill.${b()}`],
    ["events", () => "event.>"],
    ["requests", () => "http.>"],
  ];
  for (const [what, subject] of subscribes) {
    await t.step(`subscribe: ${what}`, async () => {
      await assertRefused(() => void nc.subscribe(subject(), { callback: () => {} }), subject());
    });
  }
});

Deno.test("the reply trick reaches nobody: a node may ask JetStream nothing", async () => {
  const before = await worksFor(other);
  const replies = [`dispatch.${other.nodeId}`, `kill.${other.nodeId}`, "event.node.deleted"];
  for (const reply of replies) {
    const subject = `$JS.API.CONSUMER.INFO.DISPATCH.${mine.nodeId}`;
    await assertRefused(() => nc.publish(subject, "", { reply }), subject);
  }
  const task = await site.post({ image: "deno:slow@1.0.0", method: "now", members: [other] });
  assert.equal((await site.outcome(task.id)).status, "completed");
  assert.equal(await worksFor(other), before + 1);
});

async function worksFor(member: Member): Promise<number> {
  return (await site.admin.get(`/run?organization_id=${member.id}`)).data.length;
}

Deno.test("a report about another node's result is refused, however it is signed", async () => {
  const task = await site.post({
    image: "deno:slow@1.0.0",
    method: "wait",
    kwargs: { ms: 2000 },
    members: [other],
  });
  const [run] = (await site.researcher.get(`/run?task_id=${task.id}`)).data;
  const subject = `report.${mine.nodeId}.finish`;
  const payload = text.encode(JSON.stringify({
    agent_id: crypto.randomUUID(),
    result_id: run.id,
    attempt: 1,
    status: "completed",
    result: encodeInput({ method: "forged" }),
    log: null,
    reason: null,
  }));
  const head = newHeaders();
  head.set(SIGNATURE_HEADER, sign(key.seed, subject, payload));
  await assert.rejects(nc.request(subject, payload, { timeout: 2000, headers: head }), {
    code: "TIMEOUT",
  });
  const proved = await nc.request(subject, payload, {
    timeout: 5000,
    headers: signed(subject, payload),
  });
  assert.match(proved.string(), /unknown|another agent/);
  const { status, results } = await site.outcome(task.id);
  assert.equal(status, "completed");
  assert.deepEqual(results[0], { waited: 2000 });
});

Deno.test("the hub does not answer a report into an inbox that is not the asker's", async () => {
  let heard = 0;
  const subject = `report.${mine.nodeId}.hello`;
  nc.subscribe(`_INBOX.${mine.nodeId}.>`, { callback: () => void heard++ });
  nc.publish(subject, "{}", { reply: createInbox(`_INBOX.${other.nodeId}`) });
  await waitFor(() => stack().log.some((line) => /foreign reply/.test(line)), {
    what: "the hub to drop the report",
  });
  assert.equal(heard, 0);
});

function signed(subject: string, payload: Uint8Array) {
  const head = newHeaders();
  signAsNode(head, { seed: key.seed, credential: credential.jwt }, { subject, payload });
  return head;
}

/** How many a hub service hears of, and how much the broker keeps for all of them. */
async function eventStream() {
  const task = await connectAsTask(stack().natsUrl, await trustOf(stack()));
  const manager = await task.jetstreamManager();
  const { state, config } = await manager.streams.info("EVENTS");
  const { num_waiting } = await manager.consumers.info("EVENTS", "task");
  await task.close();
  return { state, config, num_waiting };
}

Deno.test("a chain of two replies silences neither another node nor a hub service", async () => {
  const before = await eventStream();
  const own = mine.nodeId;
  const victims = [
    `$JS.API.CONSUMER.MSG.NEXT.DISPATCH.${other.nodeId}`,
    "$JS.API.CONSUMER.MSG.NEXT.EVENTS.task",
  ];
  // First junk for the own queue, then that junk as questions in the victim's name.
  const refused = refusals.length;
  for (let n = 0; n < 600; n++) {
    nc.publish(`$JS.API.CONSUMER.INFO.DISPATCH.${own}`, "", { reply: `dispatch.${own}` });
    for (const reply of victims) {
      nc.publish(`$JS.API.CONSUMER.MSG.NEXT.DISPATCH.${own}`, "", { reply });
    }
  }
  await nc.flush();
  await waitFor(() => refusals.length >= refused + 1800, { what: "all of it to be refused" });
  const { num_waiting } = await eventStream();
  assert.ok(num_waiting <= before.num_waiting + 2, `${num_waiting} wait`);
  for (let n = 0; n < 3; n++) {
    const task = await site.post({ image: "deno:slow@1.0.0", method: "now", members: [other] });
    assert.equal((await site.outcome(task.id)).status, "completed");
  }
});

Deno.test("the reply trick writes neither to events nor to what is for nodes, and both are bounded", async () => {
  const before = await eventStream();
  const heard: string[] = [];
  const task = await connectAsTask(stack().natsUrl, await trustOf(stack()));
  task.subscribe("event.x.y", { callback: (_, message) => void heard.push(message.subject) });
  await task.flush();
  const refused = refusals.length;
  for (let n = 0; n < 1000; n++) {
    for (const reply of ["event.x.y", "dispatch.9999"]) {
      nc.publish(`$JS.API.CONSUMER.INFO.DISPATCH.${mine.nodeId}`, "x".repeat(500), { reply });
    }
  }
  await nc.flush();
  await waitFor(() => refusals.length >= refused + 2000, { what: "all of it to be refused" });
  await task.flush();
  assert.deepEqual(heard, []);
  await task.close();
  const { state, config } = await eventStream();
  assert.ok(state.last_seq - before.state.last_seq < 50, "only what the hub itself tells");
  assert.ok(config.max_bytes > 0 && config.max_age > 0 && config.max_msgs_per_subject > 0);
});

Deno.test("a flood of reports and logs stalls nobody, and is logged by its beginning", async () => {
  const payload = text.encode(JSON.stringify({
    agent_id: crypto.randomUUID(),
    result_id: 999_999,
    attempt: 1,
    reason: "x",
  }));
  const subject = `report.${mine.nodeId}.lost`;
  const head = signed(subject, payload);
  const lines = stack().log.length;
  const began = performance.now();
  for (let n = 0; n < 10_000; n++) {
    const reply = `_INBOX.${mine.nodeId}.flood.${n}`;
    nc.publish(subject, payload, { reply });
    nc.publish(subject, payload, { reply, headers: head });
    nc.publish(`log.${mine.nodeId}.1`, payload);
    // The broker parts with whoever does not read for long.
    if (n % 250 === 0) await nc.flush();
  }
  await nc.flush();
  const sent = performance.now();
  await site.researcher.get("/task");
  const took = performance.now() - sent;
  assert.ok(took < 3000, `GET /task took ${took} ms, after ${sent - began} ms of flood`);
  const task = await site.post({ image: "deno:slow@1.0.0", method: "now", members: [other] });
  assert.equal((await site.outcome(task.id)).status, "completed");
  const written = stack().log.slice(lines).filter((line) => line.startsWith("task: warn"));
  assert.ok(written.length < 100, `${written.length} lines`);
  await waitFor(async () => {
    const metrics = await site.admin.request("GET", "/metrics");
    const all = [...(await metrics.text()).matchAll(/^sextant_hub_refused_total\{.*\} (\d+)$/gm)];
    return all.reduce((sum, [, count]) => sum + Number(count), 0) > 15_000;
  }, { what: "the flood to be counted" });
});
