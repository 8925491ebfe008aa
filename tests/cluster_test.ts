/**
 * A cluster on this machine loses one of each, and nobody loses anything.
 * @module
 */
import { FILES } from "../services/stack/names.ts";
import assert from "node:assert/strict";
import { ROOT } from "../services/stack/service_part.ts";
import { readPorts } from "../services/stack/deployment.ts";
import { NODE_PROTOCOL } from "../shared/node_protocol/reports.ts";
import { connectService } from "../shared/broker/service_connection.ts";
import { STREAMS } from "../shared/broker/subjects.ts";
import { messageOf } from "../shared/service/errors.ts";
import { silentLogger } from "../shared/service/log.ts";
import { openDatabase } from "../shared/storage/db.ts";
import { newUserKey } from "../shared/broker/signing.ts";
import { startTestStack, temporaryFolder, type TestStack, waitFor } from "./harness.ts";
import type { TemporaryFolder } from "./support/folders.ts";
import { VERSION } from "../shared/version.ts";
import { createSite, encodeInput, type Json, type Site } from "./site.ts";
import { createApiClient } from "./support/api.ts";
import {
  family,
  killDatabaseServer,
  postmaster,
  signal,
  watchAnswers,
  whyNoCluster,
} from "./support/cluster.ts";
import { tryLogin } from "./support/nats.ts";
import { cutOff, whyNoCut } from "./support/network_cut.ts";
import { underRequests } from "./support/steady_requests.ts";

const missing = whyNoCluster();
if (missing) console.log(`The tests of a cluster are skipped: ${missing}`);

let stack: TestStack;
let site: Site;
/** A copy, which becomes another version's. */
let checkout: TemporaryFolder;

Deno.test.beforeAll(async () => {
  if (missing) return;
  checkout = await temporaryFolder();
  for (const name of ["deno.json", "deno.lock", "services", "shared"]) await copyHere(name);
  stack = await startTestStack({ cluster: true, checkout: `${checkout.path}/` });
  site = await createSite(stack, { data: ["x\n1\n", "x\n1\n"] });
  await site.startNode(site.members[0]!);
});
Deno.test.afterAll(async () => {
  await stack?.stop();
  await checkout?.remove();
});

async function copyHere(name: string): Promise<void> {
  const { success } = await new Deno.Command("cp", {
    args: ["-r", `${ROOT}${name}`, `${checkout.path}/`],
  }).output();
  assert.ok(success, name);
}

function clusterTest(name: string, body: () => Promise<void>, lacking?: string): void {
  if (!missing && lacking) console.log(`cluster: ${name}: skipped: ${lacking}`);
  Deno.test({
    name: `cluster: ${name}`,
    ignore: missing !== undefined || lacking !== undefined,
    fn: body,
  });
}

const longTask = (ms: number) => ({
  name: "cluster",
  image: "deno:slow@1.0.0",
  collaboration_id: site.collaborationId,
  organizations: [{
    id: site.members[0]!.id,
    input: encodeInput({ method: "wait", kwargs: { ms } }),
  }],
  databases: [{ label: "default" }],
});

/**
 * Posts a task until it is acknowledged, under one key; returns it, and what was answered before.
 */
async function insist(task: Json): Promise<{ id: number; refusals: Response[] }> {
  const headers = { "idempotency-key": crypto.randomUUID() };
  const refusals: Response[] = [];
  return await waitFor(async () => {
    const answer = await site.researcher.request("POST", "/task", task, headers);
    const body = await answer.json();
    if (answer.status === 201) return { id: body.id as number, refusals };
    refusals.push(answer);
    return undefined;
  }, { what: "the task to be taken", timeout: 60_000 });
}

/** Waits until a database server follows the other, with all that is acknowledged. */
async function untilStandby(name: string): Promise<void> {
  const { patroni, "patroni-2": second } = await readPorts(stack.folder);
  await waitFor(async () => {
    const answer = await fetch(
      `http://127.0.0.1:${name === "postgres" ? patroni : second}/synchronous`,
    );
    await answer.body?.cancel();
    return answer.ok;
  }, { what: `${name} to be a synchronous standby`, timeout: 90_000 });
}

async function isRead(signal: AbortSignal): Promise<boolean> {
  const answer = await fetch(`${stack.gatewayUrl}/.well-known/jwks.json`, { signal });
  await answer.body?.cancel();
  return answer.ok;
}

function nodeIsOnline(): Promise<unknown> {
  return waitFor(
    async () => (await site.admin.get(`/node/${site.members[0]!.nodeId}`)).status === "online",
    { what: "the node to be online", timeout: 20_000 },
  );
}

function hubIsWell(how: string): Promise<unknown> {
  return waitFor(async () => {
    const answer = await fetch(`${stack.gatewayUrl}/api/health`);
    await answer.body?.cancel();
    return answer.ok;
  }, { what: `the hub to be well ${how}`, timeout: 30_000 });
}

const databaseOptions = { schema: "public", log: silentLogger, max: 1 };

/** Of one database server alone, whatever it is. */
async function addressOf(name: string): Promise<string> {
  const url = new URL(stack.adminDatabaseUrl().replace("@/", "@localhost/"));
  url.searchParams.set("host", "127.0.0.1");
  url.searchParams.set("port", String((await readPorts(stack.folder))[name]));
  return url.href;
}

/** What a service answers, and its database. */
async function isAsked(signal: AbortSignal): Promise<boolean> {
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  const asked = site.admin.request("GET", `/organization/${site.members[0]!.id}`);
  const answer = await Promise.race([asked, late]);
  await answer.body?.cancel();
  return answer.ok;
}

clusterTest("the events are on three servers, and two of each service answer", async () => {
  const { nc, close } = await connectService({
    service: "shell",
    url: stack.natsUrl,
    enrolmentFile: `${stack.folder}/services/shell/${FILES.enrolment}`,
    log: silentLogger,
  });
  const { config, cluster } = await (await nc.jetstreamManager()).streams.info(STREAMS.events);
  await close();
  assert.equal(config.num_replicas, 3);
  assert.equal(cluster?.replicas?.length, 2);
  for (const name of ["identity-2", "collaboration-2", "task-2", "gateway-2", "nats-3"]) {
    assert.ok(stack.part(name).pid > 0);
  }
});

clusterTest("a key that is withdrawn is refused by each of the three brokers", async () => {
  const reset = () => site.admin.post("/recover/node", { id: site.members[1]!.nodeId });
  const { api_key } = await reset();
  const hub = createApiClient(stack.gatewayUrl);
  const { access_token } = await hub.post("/token/node", { api_key });
  const key = newUserKey();
  const asked = { public_key: key.publicKey, protocol: NODE_PROTOCOL };
  const { jwt } = await hub.as(access_token).post("/token/broker", asked);
  const ports = await readPorts(stack.folder);
  const brokers = ["natsWebsocket", "natsWebsocket-2", "natsWebsocket-3"].map((name) =>
    `ws://127.0.0.1:${ports[name]}`
  );
  for (const url of brokers) await tryLogin(url, key, jwt);
  await reset();
  for (const url of brokers) {
    await waitFor(
      () => tryLogin(url, key, jwt).then(() => false, (error) => /AUTH/i.test(String(error))),
      { what: `${url} to refuse the key` },
    );
  }
});

clusterTest(
  "a broker is cut off from all others: answers come again within 15 s, and the task ends once",
  async () => {
    const { id } = await insist(longTask(3000));
    const watch = watchAnswers(isAsked);
    // Who has a connection to it learns only after some seconds that it is gone, and so do the
    // other two; what goes through it till then is answered with 503 or 504.
    const outcomeOf = (task: number) =>
      waitFor(() => site.outcome(task), { what: `the end of task ${task}`, timeout: 60_000 });
    // With which the first of each service began.
    const join = await cutOff(stack, "nats");
    try {
      const meanwhile = await insist(longTask(0));
      assert.equal((await outcomeOf(meanwhile.id)).status, "completed");
      await nodeIsOnline();
      await hubIsWell("without nats");
    } finally {
      await join();
    }
    await watch.stop();
    console.log(`${watch.longestMs()} ms without an answer after a broker was cut off`);
    assert.ok(watch.longestMs() < 15_000, `${watch.longestMs()} ms without an answer`);
    const { status, runs } = await outcomeOf(id);
    assert.equal(status, "completed");
    assert.deepEqual(runs.map((run) => run.attempt), [1]);
  },
  whyNoCut,
);

clusterTest(
  "a broker is killed: answers come again within 5 s, and the task ends once",
  async () => {
    const { id } = await insist(longTask(3000));
    const watch = watchAnswers(isRead);
    for (const name of ["nats", "nats-2"]) {
      await stack.part(name).kill9();
      await nodeIsOnline();
      await stack.part(name).restart();
      await hubIsWell(`with ${name} again`);
    }
    await watch.stop();
    assert.ok(watch.longestMs() < 5000, `${watch.longestMs()} ms without an answer`);
    const { status, runs } = await site.outcome(id);
    assert.equal(status, "completed");
    assert.deepEqual(runs.map((run) => run.attempt), [1]);
  },
);

clusterTest(
  "etcd is cut off: the primary stays what it is, and goes on",
  async () => {
    await stack.whole();
    const primary = await stack.primary();
    const before = stack.log.length;
    const join = await cutOff(stack, "etcd");
    try {
      await waitFor(
        () => stack.log.slice(before).some((line) => /failsafe mode is enabled/.test(line)),
        { what: "Patroni to miss etcd", timeout: 40_000 },
      );
      const { id, refusals } = await insist(longTask(0));
      assert.deepEqual(refusals.map(({ status }) => status), []);
      assert.equal((await site.outcome(id)).status, "completed");
      assert.equal(await stack.primary(), primary);
    } finally {
      await join();
    }
    await stack.whole();
    assert.equal(await stack.primary(), primary);
  },
  whyNoCut,
);

clusterTest(
  "the primary is killed: a request is told to come again, and is taken within 30 s",
  async () => {
    const { id: before } = await insist(longTask(8000));
    const killed = await stack.primary();
    const began = performance.now();
    await killDatabaseServer(stack, killed);
    const { id, refusals } = await insist(longTask(0));
    const seconds = (performance.now() - began) / 1000;
    console.log(`Changes are taken ${seconds.toFixed(1)} s after the primary's death`);
    assert.ok(seconds < 30, `${seconds} s`);
    for (const refusal of refusals) {
      assert.equal(refusal.status, 503);
      assert.equal(refusal.headers.get("retry-after"), "2");
    }
    assert.ok(refusals.length > 0);
    assert.notEqual(await stack.primary(), killed);
    for (const one of [before, id]) {
      const { status, runs } = await site.outcome(one);
      assert.equal(status, "completed");
      assert.equal(runs.length, 1);
    }
    await stack.part(killed).restart();
    await untilStandby(killed);
  },
);

clusterTest(
  "a primary that stood still until another took its place comes back as a standby",
  async () => {
    await stack.whole();
    const frozen = await stack.primary();
    const processes = [stack.part(frozen).pid, postmaster(stack, frozen)].flatMap(family);
    for (const pid of processes) signal(pid, "SIGSTOP");
    let id: number;
    try {
      ({ id } = await insist(longTask(0)));
      assert.notEqual(await stack.primary(), frozen);
    } finally {
      for (const pid of processes) signal(pid, "SIGCONT");
    }
    await untilStandby(frozen);
    assert.notEqual(await stack.primary(), frozen);
    // What was acknowledged meanwhile is there.
    assert.equal((await site.outcome(id)).status, "completed");
  },
);

clusterTest(
  "a primary is cut off from all but its clients: it acknowledges nothing more, and another takes its place",
  async () => {
    await stack.whole();
    const cut = await stack.primary();
    const written = openDatabase(stack.adminDatabaseUrl(), databaseOptions);
    const client = openDatabase(await addressOf(cut), databaseOptions);
    await client`create table written_while_cut (id integer)`;
    const join = await cutOff(stack, cut);
    try {
      const write = client`insert into written_while_cut values (1)`
        .then(() => "acknowledged", (error) => `refused: ${messageOf(error)}`);
      const { id } = await insist(longTask(0));
      assert.match(await write, /^refused/);
      assert.notEqual(await stack.primary(), cut);
      assert.equal((await site.outcome(id)).status, "completed");
    } finally {
      await join();
      await client.end();
    }
    await untilStandby(cut);
    assert.notEqual(await stack.primary(), cut);
    assert.deepEqual([...await written`select id from written_while_cut`], []);
    await written`drop table written_while_cut`;
    await written.end();
  },
  whyNoCut,
);

clusterTest("a gateway and one of each service are killed: nobody notices", async () => {
  const watch = watchAnswers(isRead);
  for (const name of ["gateway", "identity", "collaboration", "task"]) {
    await stack.part(name).kill9();
    await site.outcome((await insist(longTask(0))).id);
    await stack.part(name).restart();
  }
  await watch.stop();
  assert.ok(watch.longestMs() < 5000, `${watch.longestMs()} ms without an answer`);
});

const PER_SECOND = 50;
/** A table of each service, to which its next version adds a column. */
const GROWS = { identity: "organization", collaboration: "node", task: "result" };

clusterTest(
  "a version whose tables those of before could not work with is not rolled in",
  async () => {
    const path = `${checkout.path}/services/task/schema/899_less.sql`;
    await Deno.writeTextFile(path, "alter table task drop column description;\n");
    const { pid } = stack.part("identity");
    await assert.rejects(
      stack.roll(),
      /899_less\.sql of task changes .*drop column description.*Stop the hub, and start it again/,
    );
    assert.equal(stack.part("identity").pid, pid);
    await Deno.remove(path);
  },
);

clusterTest(
  "every replica is replaced by one of the next version, with other tables, under 50 requests a second: none fails that may be repeated",
  async () => {
    const { admin } = site;
    const next = `${VERSION}-next`;
    const versions = `${checkout.path}/shared/version.ts`;
    const text = await Deno.readTextFile(versions);
    await Deno.writeTextFile(versions, text.replace(JSON.stringify(VERSION), JSON.stringify(next)));
    for (const [service, table] of Object.entries(GROWS)) {
      await Deno.writeTextFile(
        `${checkout.path}/services/${service}/schema/900_next.sql`,
        `alter table ${table} add column next_note text not null default 'none';\n` +
          `create table next_thing (id integer primary key);\n`,
      );
    }
    const { sent, failures } = await underRequests(site, PER_SECOND, stack.roll);
    console.log(`${sent} requests while every replica was replaced, ${failures.length} failed`);
    const { sextant } = await admin.get("/version");
    assert.equal(sextant, next);
    const applied = stack.log.filter((line) => /Migration applied.*900_next/.test(line));
    assert.deepEqual(
      applied.map((line) => line.split(/[-:]/)[0]).toSorted(),
      Object.keys(GROWS).toSorted(),
    );
    assert.deepEqual(failures, []);
    assert.ok(sent > 200, `only ${sent} requests`);
  },
);
