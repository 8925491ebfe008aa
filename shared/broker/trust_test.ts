import assert from "node:assert/strict";
import { type OwnNats, startOwnNats, type TestParty } from "../../tests/support/nats.ts";
import { waitFor } from "../../tests/harness.ts";
import { issueNodeCredential, issueServiceCredential, newTrust } from "./trust.ts";
import { changeWithdrawals } from "./withdrawals.ts";
import { HUB_SERVICES } from "./subjects.ts";

let nats: OwnNats;
Deno.test.beforeAll(async () => {
  nats = await startOwnNats();
});
Deno.test.afterAll(() => nats.stop());

/**
 * What the broker refuses while `attempt` runs, as "publish <subject>" or "subscription <subject>".
 */
async function refusalsOf(
  { nc, refusals }: TestParty,
  attempt: () => void,
): Promise<Set<string>> {
  const before = refusals.length;
  attempt();
  nc.publish("nobody.may.do.this", ""); // refused after all that was tried before
  const said = () =>
    refusals.slice(before).flatMap(({ permissionContext }) => permissionContext ?? []);
  const isLast = ({ subject }: { subject: string }) => subject === "nobody.may.do.this";
  await waitFor(() => said().some(isLast), { what: "the last refusal" });
  const tried = said().slice(0, said().findIndex(isLast));
  return new Set(tried.map(({ operation, subject }) => `${operation} ${subject}`));
}

const inJetStream = (subject: string) => `$JS.API.${subject}`;

/** Checks that the broker lets `party` publish and subscribe exactly where it should. */
async function assertRights(
  party: TestParty,
  { may, mayNot }: Record<"may" | "mayNot", { publish: string[]; subscribe: string[] }>,
) {
  const tried = (what: typeof may) => () => {
    for (const subject of what.publish) party.nc.publish(subject, "{}");
    for (const subject of what.subscribe) party.nc.subscribe(subject, { callback() {} });
  };
  assert.deepEqual([...await refusalsOf(party, tried(may))], []);
  const refused = await refusalsOf(party, tried(mayNot));
  const expected = [
    ...mayNot.publish.map((subject) => `publish ${subject}`),
    ...mayNot.subscribe.map((subject) => `subscription ${subject}`),
  ];
  assert.deepEqual([...refused].sort(), expected.sort());
}

const EVERYTHING = ["dispatch.2", "kill.1", "kill.2", "event.task.created", "enrol.task"];
const SERVER = [
  "$SYS.REQ.CLAIMS.UPDATE",
  "$SYS.REQ.SERVER.PING",
  inJetStream("INFO"),
  inJetStream("STREAM.DELETE.EVENTS"),
];
const WIDE = [">", "*.>", "_INBOX.>", "_INBOX.*.x", "$JS.>", "$JS.ACK.>", "$JS.EVENT.>", "$SYS.>"];

Deno.test("a node's credential gives it its own subjects and nothing of another node's", async () => {
  await assertRights(await nats.node(1), {
    may: {
      publish: [
        "report.1.start",
        "log.1.7",
      ],
      subscribe: ["dispatch.1", "kill.1", "_INBOX.1.abc", "_INBOX.1.>"],
    },
    mayNot: {
      publish: [
        inJetStream("CONSUMER.INFO.DISPATCH.1"),
        inJetStream("CONSUMER.MSG.NEXT.DISPATCH.1"),
        "$JS.ACK.DISPATCH.1.1.1.1.1.0",
        inJetStream("CONSUMER.INFO.EVENTS.task"),
        inJetStream("CONSUMER.MSG.NEXT.EVENTS.task"),
        inJetStream("CONSUMER.INFO.DISPATCH.2"),
        inJetStream("CONSUMER.MSG.NEXT.DISPATCH.2"),
        inJetStream("CONSUMER.DELETE.DISPATCH.1"),
        inJetStream("CONSUMER.DELETE.DISPATCH.2"),
        inJetStream("CONSUMER.CREATE.DISPATCH"),
        inJetStream("CONSUMER.CREATE.DISPATCH.1.dispatch.2"),
        inJetStream("CONSUMER.DURABLE.CREATE.DISPATCH.1"),
        inJetStream("CONSUMER.NAMES.DISPATCH"),
        inJetStream("STREAM.INFO.DISPATCH"),
        inJetStream("STREAM.PURGE.DISPATCH"),
        inJetStream("STREAM.MSG.GET.DISPATCH"),
        inJetStream("DIRECT.GET.DISPATCH"),
        "$JS.ACK.DISPATCH.2.1.1.1.1.0",
        "report.2.start",
        "log.2.7",
        "dispatch.1",
        "http.task",
        "rpc.task.health",
        "_INBOX.1.x",
        "_INBOX.2.x",
        "_INBOX.gateway.x",
        ...EVERYTHING,
        ...SERVER,
      ],
      subscribe: [
        "kill.2",
        "kill.*",
        "_INBOX.2.>",
        "dispatch.2",
        "dispatch.*",
        "dispatch.>",
        "report.>",
        "report.1.start",
        "log.>",
        "event.>",
        "http.task",
        ...WIDE,
      ],
    },
  });
});

Deno.test("an enrolment credential can ask for a credential and nothing else", async () => {
  await assertRights(await nats.enrolment("collaboration"), {
    may: { publish: ["enrol.collaboration"], subscribe: ["_INBOX.enrol-collaboration.>"] },
    mayNot: {
      publish: [
        ...["identity", "task", "gateway", "shell"].map((service) => `enrol.${service}`),
        "rpc.identity.keys",
        "http.identity",
        "dispatch.1",
        "event.task.created",
        "_INBOX.gateway.x",
        ...SERVER,
      ],
      subscribe: ["enrol.*", "enrol.collaboration", "_INBOX.collaboration.>", "event.>", ...WIDE],
    },
  });
});

Deno.test("a service's credential gives it what its work needs", async () => {
  const others = (service: string) => HUB_SERVICES.filter((one) => one !== service);
  for (const service of HUB_SERVICES) {
    const party = await nats.service(service);
    const task = service === "task";
    const identity = service === "identity";
    await assertRights(party, {
      may: {
        publish: [
          "_INBOX.gateway.a.1",
          "rpc.identity.keys",
          "event.task.created",
          inJetStream(`CONSUMER.INFO.EVENTS.${service}`),
          inJetStream(`CONSUMER.MSG.NEXT.EVENTS.${service}`),
          `$JS.ACK.EVENTS.${service}.1.1.1.1.0`,
        ],
        subscribe: [`http.${service}`, `http.${service}.r.*`, `rpc.${service}.*`, "event.>"],
      },
      mayNot: {
        publish: [
          "http.identity",
          "http.task.r.x",
          "report.1.start",
          "log.1.7",
          "_INBOX.1.x",
          inJetStream("CONSUMER.MSG.NEXT.DISPATCH.1"),
          "$JS.ACK.DISPATCH.1.1.1.1.1.0",
          ...others(service).flatMap((other) => [
            inJetStream(`CONSUMER.CREATE.EVENTS.${other}.event.>`),
            inJetStream(`CONSUMER.DURABLE.CREATE.EVENTS.${other}`),
            inJetStream(`CONSUMER.INFO.EVENTS.${other}`),
            inJetStream(`CONSUMER.MSG.NEXT.EVENTS.${other}`),
            inJetStream(`CONSUMER.DELETE.EVENTS.${other}`),
            `$JS.ACK.EVENTS.${other}.1.1.1.1.0`,
          ]),
          inJetStream("CONSUMER.CREATE.EVENTS"),
          inJetStream(`CONSUMER.DELETE.EVENTS.${service}`),
          ...task ? [] : ["dispatch.2", "kill.1", inJetStream("STREAM.DELETE.DISPATCH")],
          inJetStream("STREAM.INFO.DISPATCH"),
          ...identity ? [] : ["_INBOX.enrol-task.x"],
          ...SERVER,
        ],
        subscribe: [
          ...others(service).flatMap((other) => [
            `http.${other}`,
            `rpc.${other}.*`,
            `_INBOX.${other}.>`,
          ]),
          "http.>",
          "dispatch.>",
          "kill.>",
          ...task ? [] : ["report.*.*", "log.*.*"],
          ...identity ? [] : ["enrol.*"],
          ...WIDE,
        ],
      },
    });
  }
});

Deno.test("the gateway may ask every service, answer for none and tell of nothing", async () => {
  const party = await nats.service("gateway");
  await assertRights(party, {
    may: {
      publish: ["http.identity", "http.task.r.x-1", "rpc.task.health", "enrol.gateway"],
      subscribe: ["_INBOX.gateway.>", "event.>"],
    },
    mayNot: {
      publish: [...EVERYTHING, ...SERVER, "report.1.start", "_INBOX.gateway.x", "_INBOX.1.x"],
      subscribe: ["http.task", "rpc.>", "report.>", "enrol.*", "_INBOX.task.>", ...WIDE],
    },
  });
});

Deno.test("the shell may ask and tell, and speak in nobody's name", async () => {
  const party = await nats.service("shell");
  const others = EVERYTHING.filter((subject) => !subject.startsWith("event."));
  await assertRights(party, {
    may: {
      publish: ["event.task.created", "rpc.task.health", inJetStream("STREAM.INFO.EVENTS")],
      subscribe: ["_INBOX.shell.>", "event.>"],
    },
    mayNot: {
      // Services believe whom a request says it is from, because only the gateway can send one.
      publish: ["http.identity", "http.task.r.x", ...others, "report.1.start", "_INBOX.gateway.x"],
      subscribe: ["http.task", "rpc.>", "report.>", "enrol.*", "_INBOX.task.>", ...WIDE],
    },
  });
});

Deno.test("system credentials see connections, or change the account, and nothing more", async () => {
  const presence = await nats.system("collaboration");
  await assertRights(presence, {
    may: {
      publish: ["$SYS.REQ.SERVER.PING.CONNZ"],
      subscribe: ["$SYS.ACCOUNT.*.CONNECT", "$SYS.ACCOUNT.*.DISCONNECT"],
    },
    mayNot: {
      publish: ["$SYS.REQ.CLAIMS.UPDATE", "$SYS.REQ.CLAIMS.DELETE", "$SYS.REQ.SERVER.PING.VARZ"],
      subscribe: [">", "$SYS.>", "$SYS.SERVER.>"],
    },
  });
  const revoker = await nats.system("identity");
  await assertRights(revoker, {
    may: { publish: [], subscribe: ["_INBOX.identity.>"] },
    mayNot: {
      publish: ["$SYS.REQ.CLAIMS.DELETE", "$SYS.REQ.CLAIMS.PACK", "$SYS.REQ.SERVER.PING"],
      subscribe: [">", "$SYS.>", "$SYS.ACCOUNT.*.CONNECT"],
    },
  });
});

Deno.test("a credential of one installation is worth nothing in another", async () => {
  const { nc, key } = await nats.node(1);
  const foreign = await issueNodeCredential(await newTrust(), 1, key.publicKey, 60);
  await assert.rejects(nats.tryLogin(key, foreign), /Authorization Violation/i);
  await assert.rejects(
    issueServiceCredential(nats.trust, "task", "not a key", 60),
    { code: "invalid_request" },
  );
  assert.equal(nc.isClosed(), false);
});

Deno.test("the task service may answer a report once, without a right to nodes' inboxes", async () => {
  const { nc: task } = await nats.service("task");
  const { nc: node } = await nats.node(1);
  const subscription = task.subscribe("report.*.*", {
    queue: "task",
    callback: (_, message) => void message.respond("committed"),
  });
  await task.flush();
  const answer = await node.request("report.1.finish", "{}");
  assert.equal(answer.string(), "committed");
  subscription.unsubscribe();
});

Deno.test("changeWithdrawals() closes a node's connection at once and for good, and nobody else's", async () => {
  const revoked = await nats.node(11);
  const other = await nats.node(12);
  const third = await nats.node(13);
  const system = await nats.system("identity");
  const lost = new Set<number>();
  for (const [node, { nc }] of [[11, revoked], [12, other], [13, third]] as const) {
    nc.watch(() => lost.add(node));
  }
  // Both at the same moment: neither may undo the other.
  await Promise.all(
    [revoked, third].map(({ key }) =>
      changeWithdrawals(system.nc, nats.trust, {
        add: new Map([[key.publicKey, Math.floor(Date.now() / 1000)]]),
      })
    ),
  );
  for (const { key, credential } of [revoked, third]) {
    await waitFor(
      () => nats.tryLogin(key, credential).then(() => false, () => true),
      { what: "the credential to be refused" },
    );
  }
  await waitFor(() => lost.size === 2, { what: "the connections to be closed" });
  await other.nc.flush();
  assert.deepEqual([...lost].sort(), [11, 13]);
  await nats.kill9();
  await nats.start();
  await assert.rejects(nats.tryLogin(revoked.key, revoked.credential), /Authorization Violation/i);
  await assert.rejects(nats.tryLogin(third.key, third.credential), /Authorization Violation/i);
  await nats.tryLogin(other.key, other.credential);
});
