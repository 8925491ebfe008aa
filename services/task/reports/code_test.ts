import assert from "node:assert/strict";
import { waitFor } from "../../../tests/harness.ts";
import { reporterOf, useTaskHub } from "../../../tests/support/task_hub.ts";

const hub = useTaskHub();

const A = `sha256:${"a".repeat(64)}`;
const B = `sha256:${"b".repeat(64)}`;

/** A task with a share for each of some members, and the agents of their nodes. */
async function jobOf(members: number) {
  const place = await hub().place(members);
  const user = await hub().user(place);
  const agents = place.members.map(({ node }) => reporterOf(hub(), node));
  async function post() {
    const task = await hub().post(user, place);
    const ids: number[] = (await hub().call(user, `GET /run?task_id=${task.id}&sort=id`)).body.data
      .map((run: { id: number }) => run.id);
    return { task, ids };
  }
  const show = async (id: number) => (await hub().call(user, `GET /run/${id}`)).body;
  return { place, user, agents, show, post, ...await post() };
}

async function rowsOf(jobId: number): Promise<{ image: string; code: string }[]> {
  return [
    ...await hub().db<{ image: string; code: string }[]>`
      select image, code from job_code where job_id = ${jobId}`,
  ];
}

Deno.test("the first code of a job is the job's: another one does not start, and is told which", async () => {
  const { agents, ids, show, task, user } = await jobOf(3);
  assert.equal((await show(ids[0]!)).code, null);
  assert.equal((await agents[0]!.start(ids[0]!, 1, A)).ok, true);
  assert.equal((await show(ids[0]!)).code, A);
  const refused = { ok: false, reason: "other code", job_code: A };
  assert.deepEqual(await agents[1]!.start(ids[1]!, 1, B), refused);
  assert.deepEqual(await agents[1]!.start(ids[1]!, 1, B), refused);
  const { status, started_at, code } = await show(ids[1]!);
  assert.deepEqual({ status, started_at, code }, {
    status: "pending",
    started_at: null,
    code: null,
  });
  assert.equal((await agents[2]!.start(ids[2]!, 1, A)).ok, true);

  // Its node says how it ended, as of any attempt that cannot start.
  const end = { status: "failed" as const, result: null, log: null, reason: "other code" };
  assert.deepEqual(await agents[1]!.finish(ids[1]!, end), { ok: true });
  assert.equal((await agents[0]!.finish(ids[0]!)).ok, true);
  assert.equal((await show(ids[0]!)).code, A);
  assert.equal((await agents[2]!.finish(ids[2]!)).ok, true);
  const shown = (await hub().call(user, `GET /task/${task.id}`)).body;
  assert.equal(shown.status, "failed");
});

Deno.test("of different codes that start at once exactly one is the job's", async () => {
  for (let round = 0; round < 5; round++) {
    const { agents, ids, show, task } = await jobOf(6);
    const codes = ids.map((_, index) => index % 2 === 0 ? A : B);
    const answers = await Promise.all(
      agents.map((agent, index) => agent.start(ids[index]!, 1, codes[index]!)),
    );
    const [row, ...others] = await rowsOf(task.job_id);
    assert.deepEqual(others, []);
    for (const [index, answer] of answers.entries()) {
      assert.equal(answer.ok, codes[index] === row!.code, `share ${index}`);
      if (!answer.ok) assert.deepEqual([answer.reason, answer.job_code], ["other code", row!.code]);
      const { status, code } = await show(ids[index]!);
      assert.deepEqual([status, code], answer.ok ? ["active", row!.code] : ["pending", null]);
    }
  }
});

/**
 * Starts with the code A while another start with B is under way, which then ends as `undone` says.
 */
async function startBeside(undone: boolean) {
  const { agents, ids, task } = await jobOf(2);
  const begun = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const other = hub().db.begin(async (tx) => {
    await tx`insert into job_code ${
      tx({ job_id: task.job_id, image: task.image, code: B, task_id: task.id })
    }`;
    begun.resolve();
    await end.promise;
    if (undone) throw new Error("undone");
  });
  await begun.promise;
  const starts = agents.map((agent, index) => agent.start(ids[index]!, 1, A));
  await waitFor(async () => {
    const [row] = await hub().db<{ count: number }[]>`
      select count(*)::integer as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    return row!.count === 2;
  }, { what: "both starts to wait" });
  end.resolve();
  await (undone ? assert.rejects(other, /undone/) : other);
  return { answers: await Promise.all(starts), rows: await rowsOf(task.job_id), task };
}

Deno.test("a start waits for one that is under way: it is refused when that one counts, else it is first", async () => {
  const second = await startBeside(false);
  const refused = { ok: false, reason: "other code", job_code: B };
  assert.deepEqual(second.answers, [refused, refused]);
  assert.deepEqual(second.rows, [{ image: second.task.image, code: B }]);

  const first = await startBeside(true);
  for (const answer of first.answers) assert.equal(answer.ok, true);
  assert.deepEqual(first.rows, [{ image: first.task.image, code: A }]);
});

Deno.test("an agent that tells no code starts, before and after one that does, and decides nothing", async () => {
  const { agents, ids, show, task } = await jobOf(3);
  assert.equal((await agents[0]!.start(ids[0]!)).ok, true);
  assert.deepEqual(await rowsOf(task.job_id), []);
  assert.equal((await agents[1]!.start(ids[1]!, 1, B)).ok, true);
  assert.equal((await agents[2]!.start(ids[2]!)).ok, true);
  assert.deepEqual(await Promise.all(ids.map(async (id) => (await show(id)).code)), [
    null,
    B,
    null,
  ]);
});

Deno.test("the next attempt runs the job's code too, and shows it once it starts", async () => {
  const { agents: [agent], ids: [id], show } = await jobOf(1);
  await agent!.start(id!, 1, A);
  assert.deepEqual(await agent!.lost(id!, 1), { ok: true, next_attempt: 2 });
  assert.equal((await show(id!)).code, null);
  const refused = { ok: false, reason: "other code", job_code: A };
  assert.deepEqual(await agent!.start(id!, 2, B), refused);
  assert.equal((await agent!.start(id!, 2, A)).ok, true);
  assert.equal((await show(id!)).code, A);
});

Deno.test("a subtask runs its job's code; a task that is posted again is a new job", async () => {
  const { place, user, agents, ids, task, post } = await jobOf(2);
  await agents[0]!.start(ids[0]!, 1, A);
  const { body: child } = await hub().call(hub().container(place, 0, task), "POST /task", {
    image: task.image,
    collaboration_id: place.collaboration,
    organizations: [{ id: place.members[1]!.organization, input: btoa("{}") }],
  });
  const [share] = (await hub().call(user, `GET /run?task_id=${child.id}`)).body.data;
  const refused = { ok: false, reason: "other code", job_code: A };
  assert.deepEqual(await agents[1]!.start(share.id, 1, B), refused);
  assert.equal((await agents[1]!.start(share.id, 1, A)).ok, true);

  const again = await post();
  assert.equal((await agents[1]!.start(again.ids[1]!, 1, B)).ok, true);
});

Deno.test("the code of a job goes with its tasks, and stays while only a subtask goes", async () => {
  const { place, user, agents, ids, task } = await jobOf(2);
  await agents[0]!.start(ids[0]!, 1, A);
  const { body: child } = await hub().call(hub().container(place, 0, task), "POST /task", {
    image: task.image,
    collaboration_id: place.collaboration,
    organizations: [{ id: place.members[1]!.organization, input: btoa("{}") }],
  });
  const admin = await hub().user(place, 0, "Collaboration Admin");
  assert.equal((await hub().call(admin, `DELETE /task/${child.id}`)).status, 200);
  assert.equal((await rowsOf(task.job_id)).length, 1);
  assert.equal((await hub().call(admin, `DELETE /task/${task.id}`)).status, 200);
  assert.deepEqual(await rowsOf(task.job_id), []);
  assert.equal((await hub().call(user, `GET /task/${task.id}`)).status, 404);
});

Deno.test("what a tag means may differ from site to site: it starts, and is told what the job's is", async () => {
  const { agents, ids, show } = await jobOf(3);
  const answers = [];
  for (const [index, code] of [A, B, A].entries()) {
    answers.push(await agents[index]!.start(ids[index]!, 1, code, true));
  }
  assert.deepEqual(answers.map((answer) => [answer.ok, answer.job_code]), [
    [true, undefined],
    [true, A],
    [true, undefined],
  ]);
  assert.deepEqual(await Promise.all(ids.map(async (id) => (await show(id)).code)), [A, B, A]);
});
