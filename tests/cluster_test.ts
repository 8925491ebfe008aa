/**
 * A cluster on this machine loses one of each, and nobody loses anything.
 * @module
 */
import assert from "node:assert/strict";
import { FILES } from "../services/stack/setup.ts";
import { readPorts } from "../services/stack/deployment.ts";
import { NODE_PROTOCOL } from "../shared/node_protocol/reports.ts";
import { connectService } from "../shared/broker/service_connection.ts";
import { STREAMS } from "../shared/broker/subjects.ts";
import { silentLogger } from "../shared/service/log.ts";
import { newUserKey } from "../shared/broker/signing.ts";
import { startTestStack, type TestStack, waitFor } from "./harness.ts";
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

const missing = whyNoCluster();
if (missing) console.log(`The tests of a cluster are skipped: ${missing}`);

let stack: TestStack;
let site: Site;

Deno.test.beforeAll(async () => {
  if (missing) return;
  stack = await startTestStack({ cluster: true });
  site = await createSite(stack, { data: ["x\n1\n", "x\n1\n"] });
  await site.startNode(site.members[0]!);
});
Deno.test.afterAll(() => stack?.stop());

function clusterTest(name: string, body: () => Promise<void>): void {
  Deno.test({ name: `cluster: ${name}`, ignore: missing !== undefined, fn: body });
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

/** Posts a task until it is acknowledged, under one key; returns it, and what was answered before. */
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
  "a broker is killed: answers come again within 5 s, and the task ends once",
  async () => {
    const { id } = await insist(longTask(3000));
    const watch = watchAnswers(isRead);
    for (const name of ["nats", "nats-2"]) {
      await stack.part(name).kill9();
      await waitFor(
        async () => (await site.admin.get(`/node/${site.members[0]!.nodeId}`)).status === "online",
        { what: "the node to be online" },
      );
      await stack.part(name).restart();
      await waitFor(async () => {
        const answer = await fetch(`${stack.gatewayUrl}/api/health`);
        await answer.body?.cancel();
        return answer.ok;
      }, { what: `the hub to be well with ${name} again`, timeout: 30_000 });
    }
    await watch.stop();
    assert.ok(watch.longestMs() < 5000, `${watch.longestMs()} ms without an answer`);
    const { status, runs } = await site.outcome(id);
    assert.equal(status, "completed");
    assert.deepEqual(runs.map((run) => run.attempt), [1]);
  },
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

clusterTest(
  "every replica is replaced under 50 requests a second: none fails that may be repeated",
  async () => {
    const { admin, members, collaborationId } = site;
    const reads = [
      `/organization/${members[0]!.id}`,
      `/node/${members[0]!.nodeId}`,
      `/collaboration/${collaborationId}`,
      "/task?per_page=1",
    ];
    const failures: string[] = [];
    let sent = 0;
    async function read(path: string): Promise<void> {
      const answer = await admin.request("GET", path);
      await answer.body?.cancel();
      if (!answer.ok) failures.push(`GET ${path}: ${answer.status}`);
    }
    /** What creates something is sent again, under its key alone, as the contract says. */
    async function create(): Promise<void> {
      const headers = { "idempotency-key": crypto.randomUUID() };
      const name = `Clinic ${crypto.randomUUID()}`;
      await waitFor(async () => {
        const answer = await admin.request("POST", "/organization", { name }, headers);
        await answer.body?.cancel();
        if (answer.status < 500 && answer.status !== 201) failures.push(`POST: ${answer.status}`);
        return answer.status < 500;
      }, { what: "an organization to be made", timeout: 30_000 });
    }
    const underWay = new Set<Promise<void>>();
    const timer = setInterval(() => {
      const one = (sent++ % 10 === 0 ? create() : read(reads[sent % reads.length]!))
        .catch((error) => void failures.push(String(error))).then(() => void underWay.delete(one));
      underWay.add(one);
    }, 1000 / PER_SECOND);
    try {
      await stack.roll();
    } finally {
      clearInterval(timer);
      await Promise.all(underWay);
    }
    console.log(`${sent} requests while every replica was replaced, ${failures.length} failed`);
    assert.deepEqual(failures, []);
    assert.ok(sent > 200, `only ${sent} requests`);
  },
);
