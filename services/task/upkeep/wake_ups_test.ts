import assert from "node:assert/strict";
import { readDispatch } from "../../../shared/node_protocol/dispatch.ts";
import { publicKeyOf, verify } from "../../../shared/broker/signing.ts";
import { subjects } from "../../../shared/broker/subjects.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { startOwnNats } from "../../../tests/support/nats.ts";
import { startTestServices } from "../../../tests/support/services.ts";
import { reporterOf, useTaskHub } from "../../../tests/support/task_hub.ts";
import { waitFor } from "../../../tests/harness.ts";
import { createTask } from "../changes/task.ts";
import { createWakeUps } from "./wake_ups.ts";

let clock = Date.now();
const now = () => new Date(clock);
const hub = useTaskHub();

async function oneRun() {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const node = place.members[0]!.node;
  return { place, user, task, node, agent: reporterOf(hub(), node) };
}

/** Which of the wake-ups are for `node`. */
function wakeUpsFor(node: number) {
  const told: string[] = [];
  const publish = (subject: string) => void told.push(subject);
  const wakeUps = createWakeUps({ db: hub().db, publish, log: silentLogger, now });
  return {
    async repeat() {
      told.length = 0;
      await wakeUps.repeat();
      return told.filter((subject) => subject === subjects.dispatch(node)).length;
    },
  };
}

Deno.test("a node that does not accept its work is woken ever more seldom, until it does", async () => {
  const { task, node, agent } = await oneRun();
  const wakeUps = wakeUpsFor(node);
  assert.equal(await wakeUps.repeat(), 0, "it may be on its way");
  clock = Date.now() + 6_000;
  const wokenAt: number[] = [];
  const began = clock;
  while (clock < began + 200_000) {
    if (await wakeUps.repeat() === 1) wokenAt.push((clock - began) / 1000);
    clock += 5_000;
  }
  assert.deepEqual(wokenAt, [0, 5, 15, 35, 75, 135, 195]);
  const given = (await agent.work()).results;
  assert.deepEqual(given.map((one) => one.task_id), [task.id]);
  await agent.accepted(...given.map((one) => one.result_id));
  assert.equal(await wakeUps.repeat(), 0);
  clock += 3_600_000;
  assert.equal(await wakeUps.repeat(), 0);
  assert.deepEqual((await agent.work()).results, []);
});

Deno.test("an acceptance is of the node's current attempt, and nobody else's", async () => {
  const { node, agent } = await oneRun();
  const [given] = (await agent.work()).results;
  const other = await oneRun();
  await other.agent.accepted(given!.result_id);
  const { reports } = hub().deps;
  const next = { result_id: given!.result_id, attempt: 2 };
  await reports.accepted(node, { agent_id: agent.agent_id, attempts: [next] });
  assert.equal((await agent.work()).results.length, 1);
  await agent.accepted(given!.result_id);
  assert.equal((await agent.work()).results.length, 0);
  await agent.start(given!.result_id);
  await agent.lost(given!.result_id);
  const [again] = (await agent.work()).results;
  assert.equal(again!.attempt, 2, "the next attempt is to be accepted anew");
});

Deno.test("work comes in pages, each result once, and never of another node", async () => {
  const { place, user, node, agent } = await oneRun();
  await oneRun();
  const databases = [{ label: "default", query: "x".repeat(30_000) }];
  const posted: number[] = [];
  for (let n = 0; n < 40; n++) posted.push((await hub().post(user, place, { databases })).id);
  const seen: number[] = [];
  let pages = 0;
  for (let after: number | null = 0; after !== null; pages++) {
    const page: Awaited<ReturnType<typeof agent.work>> = await agent.work(after);
    seen.push(...page.results.map((one) => one.task_id));
    after = page.next;
  }
  assert.deepEqual(seen.slice(1), posted);
  assert.ok(pages > 2, `${pages} pages`);
  assert.ok(node > 0);
});

Deno.test("a task committed while the broker is dead reaches a connected node by a wake-up", async () => {
  const nats = await startOwnNats();
  const services = await startTestServices({ nats, now });
  try {
    const { deps, wakeUps } = services.task;
    const { nc } = await nats.node(7);
    const heard: unknown[] = [];
    const subject = subjects.dispatch(7);
    const trust = {
      subject,
      verify: (...signed: [string, Uint8Array, string]) =>
        verify(publicKeyOf(services.dispatchKey), ...signed),
    };
    nc.subscribe(subject, {
      callback(_, message) {
        const reading = readDispatch(message, trust);
        heard.push("value" in reading ? reading.value : reading);
      },
    });
    await nats.kill9();
    await deps.outbox.change((change) =>
      createTask(change, {
        values: {
          job_id: undefined,
          name: "t",
          description: "",
          image: "average",
          collaboration_id: 1,
          study_id: null,
          parent_id: null,
          init_org_id: 1,
          init_user_id: 1,
          init_username: "u",
          algorithm_store_id: null,
          algorithm_store_url: null,
          timeout_seconds: null,
          deadline_at: null,
        },
        databases: [],
        shares: [{ organization_id: 1, node_id: 7, input: "" }],
        blobOwners: [],
      })
    );
    await nats.start();
    await waitFor(() => nc.connected, { what: "the node to be back" });
    clock += 60_000;
    await waitFor(async () => {
      clock += 60_000;
      await wakeUps.repeat();
      await nc.flush();
      return heard.length > 0;
    }, { what: "the wake-up" });
    assert.deepEqual(heard[0], { wake_up: true });
    const work = await deps.reports.work(7, { agent_id: crypto.randomUUID(), after: 0 });
    assert.equal(work.dispatches.length, 1);
  } finally {
    await services.stop();
    await nats.stop();
  }
});
