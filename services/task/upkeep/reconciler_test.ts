import assert from "node:assert/strict";
import { reporterOf, useTaskHub } from "../../../tests/support/task_hub.ts";
import { waitFor } from "../../../tests/harness.ts";
import { createReconciler } from "./reconciler.ts";
import { lockTask } from "../store/task.ts";

let clock = Date.now();
const hub = useTaskHub({ now: () => new Date(clock) });

async function oneRun(extra: Record<string, unknown> = {}) {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const task = await hub().post(user, place, extra);
  const [run] = (await hub().call(user, `GET /run?task_id=${task.id}`)).body.data;
  const node = place.members[0]!.node;
  const agent = reporterOf(hub(), node);
  const show = async () => (await hub().call(user, `GET /run/${run.id}`)).body;
  return { place, user, task, run, node, agent, show };
}

Deno.test("what is unfinished at a task's deadline fails with that reason, descendants too", async () => {
  const { place, user, task, run, agent, show } = await oneRun({ timeout_seconds: 30 });
  const child = await hub().post(hub().container(place, 0, task), place, { image: task.image });
  await agent.start(run.id);
  await hub().reconciler.expire();
  assert.equal((await show()).status, "active");
  clock = Date.now() + 31_000;
  await hub().reconciler.expire();
  clock = Date.now();
  const ended = await show();
  assert.equal(ended.status, "failed");
  assert.match(ended.log, /time limit of 30 s/);
  assert.equal((await hub().call(user, `GET /task/${child.id}/status`)).body.status, "failed");
  assert.deepEqual(await agent.finish(run.id), { ok: false, reason: "finished" });
  assert.equal(await hub().reconciler.expire(), 0);
  assert.equal((await hub().call(user, `GET /task/${task.id}`)).body.timeout_seconds, 30);
});

Deno.test("a task that is finished in time is left alone by its deadline", async () => {
  const { run, agent, show } = await oneRun({ timeout_seconds: 30 });
  await agent.start(run.id);
  await agent.finish(run.id);
  clock = Date.now() + 60_000;
  await hub().reconciler.expire();
  clock = Date.now();
  assert.equal((await show()).status, "completed");
});

Deno.test("a subtask's deadline and a kill of its family do not wait for each other", async () => {
  const { place, task } = await oneRun();
  const child = await hub().post(hub().container(place, 0, task), place, {
    image: task.image,
    timeout_seconds: 30,
  });
  clock = Date.now() + 31_000;
  const grandchild = await hub().post(hub().container(place, 0, child), place, {
    image: task.image,
  });
  let expiring: Promise<number> | undefined;
  await hub().db.begin(async (tx) => {
    // As a kill does, in the order of ids.
    await lockTask(tx, task.id);
    await lockTask(tx, child.id);
    expiring = hub().reconciler.expire();
    expiring.catch(() => {});
    await waitFor(async () => {
      const [row] = await hub().db`
        select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      return row !== undefined;
    }, { what: "the deadline to wait for the family" });
    await lockTask(tx, grandchild.id);
  });
  assert.equal(await expiring, 1);
  clock = Date.now();
});

Deno.test("tidy() empties completed results past their retention, inputs only when asked to", async () => {
  const { user, run, agent, show } = await oneRun();
  await agent.start(run.id);
  await agent.finish(run.id);
  const open = await oneRun();
  async function tidy(includeInput: boolean) {
    const reconciler = createReconciler({
      ...hub().deps,
      retention: { days: 10, includeInput },
      now: () => new Date(Date.now() + 11 * 86_400_000),
      everyMs: 1e9,
    });
    await reconciler.tidy();
    await reconciler.stop();
  }
  await hub().reconciler.tidy();
  assert.notEqual((await hub().call(user, `GET /result/${run.id}`)).body.result, "");
  await tidy(false);
  const result = (await hub().call(user, `GET /result/${run.id}`)).body;
  assert.equal(result.result, "");
  assert.ok(result.cleanup_at);
  assert.notEqual((await show()).input, "");
  assert.equal((await open.show()).cleanup_at, null);
  await hub().db`update result set cleanup_at = null where id = ${run.id}`;
  await tidy(true);
  assert.equal((await show()).input, "");
});

Deno.test("a hundred thousand pending results hold up neither deadlines nor kills, and are handed out in pages", async () => {
  const { place, user, node, agent } = await oneRun();
  const urgent = await hub().post(user, place, { timeout_seconds: 30 });
  const [run] = (await hub().call(user, `GET /run?task_id=${urgent.id}`)).body.data;
  await hub().db`
    with task as (
      insert into task (name, description, image, job_id, collaboration_id, init_org_id, init_user_id)
      select 'lost', '', 'average', nextval('run_id_seq'), ${place.collaboration},
        ${place.members[0]!.organization}, ${user.id} from generate_series(1, 100000)
      returning id)
    insert into result (task_id, organization_id, node_id, input, dispatched_at)
    select id, ${
    place.members[0]!.organization
  }, ${node}, 'e30=', now() - interval '1 hour' from task`;
  await hub().db`analyze`;
  // As when the broker has lost everything: a node is told once, and asks.
  let began = performance.now();
  clock = Date.now() + 31_000;
  assert.ok(await hub().deps.wakeUps.repeat() >= 1);
  assert.ok(await hub().reconciler.expire() >= 1);
  const upkeep = performance.now() - began;
  assert.equal((await hub().call(user, `GET /run/${run.id}`)).body.status, "failed");
  assert.ok(upkeep < 2000, `${upkeep} ms`);

  began = performance.now();
  const ids = new Set<number>();
  for (let after: number | null = 0; after !== null && ids.size < 5000;) {
    const { results, next } = await agent.work(after);
    for (const { result_id } of results) ids.add(result_id);
    assert.ok(results.length <= 200);
    after = next;
  }
  assert.ok(ids.size >= 5000);
  const perPage = (performance.now() - began) / (ids.size / 200);
  assert.ok(perPage < 500, `${perPage} ms a page`);
  clock = Date.now();
});
