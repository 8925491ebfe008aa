import assert from "node:assert/strict";
import { subjects } from "../../../shared/broker/subjects.ts";
import { parseEvent } from "../../../shared/messages/events.ts";
import { waitFor } from "../../../tests/harness.ts";
import { reporterOf, useTaskHub } from "../../../tests/support/task_hub.ts";

let clock = 0;
const hub = useTaskHub({ now: () => new Date(Date.now() + clock) });

async function oneRun(extra: Record<string, unknown> = {}, members = 1) {
  const place = await hub().place(members);
  const user = await hub().user(place);
  const task = await hub().post(user, place, extra);
  const runs = (await hub().call(user, `GET /run?task_id=${task.id}&sort=id`)).body.data;
  const { node, organization } = place.members[0]!;
  const agent = reporterOf(hub(), node);
  const see = async (path: string) => (await hub().call(user, `GET ${path}`)).body;
  const [named] = await hub().identityDb<{ name: string }[]>`
    select name from organization where id = ${organization}`;
  return { place, user, task, run: runs[0], node, agent, see, name: named!.name };
}

Deno.test("a result that is held stays active, and run, task and lists say where it waits", async () => {
  const { task, run, agent, see, name } = await oneRun({}, 2);
  assert.deepEqual([run.held_since, run.waiting, task.waiting], [null, null, null]);
  await agent.start(run.id);
  assert.equal((await see(`/task/${task.id}`)).waiting, null);
  assert.deepEqual(await agent.held(run.id), { ok: true });
  const waiting = `waiting for release at ${name}`;

  const shown = await see(`/run/${run.id}`);
  assert.deepEqual([shown.status, shown.waiting, shown.finished_at], ["active", waiting, null]);
  const since = Date.parse(shown.held_since);
  assert.ok(since >= Date.parse(shown.started_at) && since <= Date.now());
  const listed = (await see(`/run?task_id=${task.id}&include=task`)).data;
  const [held, other] = [run.id, undefined].map((id) =>
    listed.find((one: { id: number }) => id === undefined ? one.id !== run.id : one.id === id)
  );
  assert.deepEqual([held.waiting, held.task.waiting], [waiting, waiting]);
  assert.deepEqual([other.waiting, other.held_since], [null, null]);

  const tasks = [
    await see(`/task/${task.id}`),
    (await see(`/task?collaboration_id=${task.collaboration.id}`)).data[0],
  ];
  for (const one of tasks) assert.deepEqual([one.status, one.waiting], ["active", waiting]);
  const [inTask] = (await see(`/task/${task.id}?include=runs`)).runs
    .filter((one: { id: number }) => one.id === run.id);
  assert.equal(inTask.waiting, waiting);

  assert.deepEqual(await agent.finish(run.id), { ok: true });
  const over = await see(`/run/${run.id}`);
  assert.deepEqual([over.status, over.waiting, over.held_since], ["completed", null, null]);
  assert.equal((await see(`/task/${task.id}`)).waiting, null);
});

Deno.test("a result that is held is told of once, with since when it waits", async () => {
  const { task, run, agent, see } = await oneRun();
  const told: (string | null | undefined)[] = [];
  const subscription = hub().nc.subscribe(subjects.allEvents(), {
    callback(_, message) {
      const event = parseEvent(message.subject, message.data);
      if (event?.name !== "result.status" || event.data.task_id !== task.id) return;
      told.push(event.data.held_since);
    },
  });
  await hub().nc.flush();
  await agent.start(run.id);
  for (let times = 0; times < 3; times++) assert.deepEqual(await agent.held(run.id), { ok: true });
  const { held_since } = await see(`/run/${run.id}`);
  await agent.finish(run.id);
  await waitFor(() => told.length === 3, { what: "start, hold and end to be told" });
  subscription.unsubscribe();
  assert.deepEqual(told.map((one) => one && Date.parse(one)), [null, Date.parse(held_since), null]);
});

Deno.test("only the agent of a result says that it is held, while it is unfinished", async () => {
  const { place, run, node, agent, see } = await oneRun({}, 2);
  await agent.start(run.id);
  const superseded = { ok: false, reason: "superseded" };
  assert.deepEqual(await agent.held(run.id, { attempt: 2 }), superseded);
  assert.deepEqual(await reporterOf(hub(), node).held(run.id), superseded);
  const stranger = reporterOf(hub(), place.members[1]!.node);
  assert.deepEqual(await stranger.held(run.id), { ok: false, reason: "unknown" });
  assert.equal((await see(`/run/${run.id}`)).waiting, null);
  await agent.finish(run.id);
  assert.deepEqual(await agent.held(run.id), { ok: false, reason: "finished" });
  assert.equal((await see(`/run/${run.id}`)).waiting, null);
});

Deno.test("a held result that is killed, or whose task is deleted, is refused to its node", async () => {
  for (const how of ["kill", "delete"] as const) {
    const { place, task, run, agent, see } = await oneRun();
    const admin = await hub().user(place, 0, "Collaboration Admin");
    await agent.start(run.id);
    await agent.held(run.id);
    const { status } = how === "kill"
      ? await hub().call(admin, "POST /kill/task", { id: task.id })
      : await hub().call(admin, `DELETE /task/${task.id}`);
    assert.equal(status, 200);
    const reason = how === "kill" ? "killed" : "unknown";
    assert.deepEqual(await agent.finish(run.id), { ok: false, reason });
    assert.deepEqual(await agent.held(run.id), { ok: false, reason });
    if (how === "kill") assert.equal((await see(`/run/${run.id}`)).waiting, null);
  }
});

Deno.test("a lost agent's held result is not said to wait any more", async () => {
  const { run, agent, see } = await oneRun();
  await agent.hello();
  await agent.start(run.id);
  await agent.held(run.id);
  const open = [{ result_id: run.id, attempt: 1, state: "finished" as const }];
  assert.deepEqual((await agent.hello(open)).drop, []);
  assert.notEqual((await see(`/run/${run.id}`)).waiting, null);
  await agent.hello();
  const { attempt, status, waiting } = await see(`/run/${run.id}`);
  assert.deepEqual([attempt, status, waiting], [2, "pending", null]);
});

Deno.test("no time is believed at which a result would have waited before it began, or later than now", async () => {
  for (const since of ["1970-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"]) {
    const { run, agent, see } = await oneRun();
    await agent.start(run.id);
    await agent.held(run.id, { since });
    const { held_since, started_at } = await see(`/run/${run.id}`);
    assert.ok(Date.parse(held_since) >= Date.parse(started_at) && held_since < "2998");
  }
});

Deno.test("a task's time limit stands still while something of its job is held", async () => {
  const { place, task, run, agent, see } = await oneRun({ timeout_seconds: 30 });
  const child = await hub().post(hub().container(place, 0, task), place, { image: task.image });
  const [part] = (await see(`/run?task_id=${child.id}`)).data;
  await agent.start(run.id);
  await agent.start(part.id);
  await agent.held(part.id);
  await hub().reconciler.expire();
  clock = 3_600_000;
  try {
    await hub().reconciler.expire();
    assert.equal((await see(`/run/${run.id}`)).status, "active");
    assert.equal((await see(`/run/${part.id}`)).status, "active");
    assert.deepEqual(await agent.finish(part.id), { ok: true });
    // What is left of the limit goes on from here.
    await hub().reconciler.expire();
    assert.equal((await see(`/run/${run.id}`)).status, "active");
    clock += 31_000;
    await hub().reconciler.expire();
    const ended = await see(`/run/${run.id}`);
    assert.equal(ended.status, "failed");
    assert.match(ended.log, /time limit of 30 s/);
  } finally {
    clock = 0;
  }
});

Deno.test("a held result that was overlooked by a round is not ended by the next", async () => {
  const { run, agent, see } = await oneRun({ timeout_seconds: 30 });
  await agent.start(run.id);
  await agent.held(run.id);
  clock = 31_000;
  try {
    await hub().reconciler.expire();
    assert.equal((await see(`/run/${run.id}`)).status, "active");
  } finally {
    clock = 0;
  }
});
