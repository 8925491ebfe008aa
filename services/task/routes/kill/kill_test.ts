import assert from "node:assert/strict";
import { PLAIN_INPUT, reporterOf, useTaskHub } from "../../../../tests/support/task_hub.ts";
import { waitFor } from "../../../../tests/harness.ts";
import { subjects } from "../../../../shared/broker/subjects.ts";
import { publicKeyOf, SIGNATURE_HEADER, verify } from "../../../../shared/broker/signing.ts";

const hub = useTaskHub();

/** A connected node that notes which results it is told to stop. */
async function listen(node: number): Promise<number[]> {
  const told: number[] = [];
  const { nc } = await hub().nats.node(node);
  const key = publicKeyOf(hub().dispatchKey);
  nc.subscribe(subjects.kill(node), {
    callback(error, message) {
      assert.equal(error, null);
      const signature = message.headers?.get(SIGNATURE_HEADER) ?? "";
      assert.ok(verify(key, message.subject, message.data, signature));
      const { result_id, attempt } = message.json<{ result_id: number; attempt: null }>();
      assert.equal(attempt, null);
      told.push(result_id);
    },
  });
  await nc.flush();
  return told;
}

Deno.test("a killed parent takes 50 children over 10 nodes along, 3 of them offline", async () => {
  const place = await hub().place(10);
  const user = await hub().user(place);
  const parent = await hub().post(user, place, {
    organizations: [{ id: place.members[0]!.organization, input: PLAIN_INPUT }],
  });
  const container = hub().container(place, 0, parent);
  for (let n = 0; n < 50; n++) {
    await hub().post(container, place, {
      image: parent.image,
      organizations: [{ id: place.members[n % 10]!.organization, input: PLAIN_INPUT }],
    });
  }
  const runs = (await hub().call(user, "GET /run?sort=id")).body.data as {
    id: number;
    organization: { id: number };
  }[];
  assert.equal(runs.length, 51);
  const nodes = place.members.map(({ node, organization }) => ({
    node,
    reporter: reporterOf(hub(), node),
    results: runs.filter((run) => run.organization.id === organization).map((run) => run.id),
  }));
  const online = nodes.slice(0, 7);
  const told = new Map<number, number[]>();
  for (const { node, reporter, results } of online) {
    told.set(node, await listen(node));
    await reporter.hello();
    for (const id of results) assert.equal((await reporter.start(id)).ok, true);
  }

  const began = performance.now();
  const killed = await hub().call(user, "POST /kill/task", { id: parent.id });
  assert.equal(killed.status, 200, JSON.stringify(killed.body));
  for (const { node, results } of online) {
    const heard = told.get(node)!;
    await waitFor(() => heard.length >= results.length, { what: `the kills of node ${node}` });
    assert.deepEqual([...new Set(heard)].sort((a, b) => a - b), results);
  }
  assert.ok(performance.now() - began < 2000);

  const after = (await hub().call(user, "GET /run")).body.data;
  const name = user.kind === "user" ? user.username : "";
  for (const run of after) {
    assert.equal(run.status, "killed by user");
    assert.ok(run.finished_at);
    assert.match(run.log, new RegExp(`Killed by user ${name} \\(id ${user.id}\\)\\.`));
  }
  for (const { reporter, results } of nodes.slice(7)) {
    await reporter.hello();
    for (const id of results) {
      assert.deepEqual(await reporter.start(id), { ok: false, reason: "killed" });
    }
  }
  for (const { reporter, results } of online) {
    for (const id of results) {
      assert.deepEqual(await reporter.finish(id), { ok: false, reason: "killed" });
    }
  }
  const again = await hub().call(user, "POST /kill/task", { id: parent.id });
  assert.equal(again.status, 400);
  const late = await hub().call(container, "POST /task", {
    image: parent.image,
    collaboration_id: place.collaboration,
    organizations: [{ id: place.members[0]!.organization, input: PLAIN_INPUT }],
  });
  assert.equal(late.status, 401);
});

Deno.test("no child slips in while its parent is being killed", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  for (let round = 0; round < 5; round++) {
    const parent = await hub().post(user, place);
    const container = hub().container(place, 0, parent);
    const child = {
      image: parent.image,
      collaboration_id: place.collaboration,
      organizations: [{ id: place.members[0]!.organization, input: PLAIN_INPUT }],
    };
    await Promise.all([
      hub().call(user, "POST /kill/task", { id: parent.id }),
      ...Array.from({ length: 5 }, () => hub().call(container, "POST /task", child)),
    ]);
    const { body } = await hub().call(user, `GET /task?job_id=${parent.job_id}`);
    for (const task of body.data) assert.equal(task.status, "killed by user");
  }
});

Deno.test("a node that missed a kill is told again until it has been heard to stop", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const [run] = (await hub().call(user, `GET /run?task_id=${task.id}`)).body.data;
  const { node } = place.members[0]!;
  const reporter = reporterOf(hub(), node);
  await reporter.hello();
  await reporter.start(run.id);
  await hub().call(user, "POST /kill/task", { id: task.id });
  const told = await listen(node);
  assert.equal(await hub().deps.kills.repeat() > 0, true);
  await waitFor(() => told.includes(run.id), { what: "the second message" });
  const { drop } = await reporter.hello([{ result_id: run.id, attempt: 1, state: "started" }]);
  assert.deepEqual(drop, [{ result_id: run.id, attempt: 1, reason: "killed" }]);
  async function ordered() {
    return (await hub().db`select 1 from stop_order where result_id = ${run.id}`).length;
  }
  assert.equal(await ordered(), 1);
  await reporter.finish(run.id, { status: "killed by user" });
  assert.equal(await ordered(), 0);
});

Deno.test("POST /kill/task is for those who may send events there, and for who created the task", async () => {
  const place = await hub().place(2);
  const author = await hub().user(place);
  const stranger = await hub().user(await hub().place(1), 0, "Collaboration Admin");
  const allowed = [
    author,
    await hub().user(place, 1, "Collaboration Admin"),
    await hub().user(await hub().place(1), 0, ["event:SEND:GLOBAL"]),
  ];
  const refused = [
    stranger,
    await hub().user(place),
    await hub().user(place, 0, "Organization Admin"),
    hub().node(place),
  ];
  for (const who of allowed) {
    const { id } = await hub().post(author, place);
    assert.equal((await hub().call(who, "POST /kill/task", { id })).status, 200);
  }
  const { id } = await hub().post(author, place);
  for (const who of refused) {
    assert.equal((await hub().call(who, "POST /kill/task", { id })).status, 401);
  }
  assert.equal((await hub().call(author, "POST /kill/task", { id: 2000000000 })).status, 404);
  assert.equal((await hub().call(author, "POST /kill/task", {})).status, 400);
});

Deno.test("after a first failure the shares that still run can be killed", async () => {
  const place = await hub().place(2);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const runs = (await hub().call(user, `GET /run?task_id=${task.id}&sort=id`)).body.data;
  const [first, second] = place.members.map((one) => reporterOf(hub(), one.node));
  await first!.start(runs[0].id);
  await second!.start(runs[1].id);
  await first!.finish(runs[0].id, { status: "crashed" });
  assert.equal((await hub().call(user, `GET /task/${task.id}`)).body.complete, false);
  assert.equal((await hub().call(user, "POST /kill/task", { id: task.id })).status, 200);
  assert.deepEqual(await second!.finish(runs[1].id), { ok: false, reason: "killed" });
});

Deno.test("POST /kill/node/tasks ends everything at one node, when it is online", async () => {
  const place = await hub().place(2);
  const user = await hub().user(place);
  const admin = await hub().user(place, 0, "Collaboration Admin");
  const ownAdmin = await hub().user(place, 0, "Organization Admin");
  const otherAdmin = await hub().user(place, 1, "Organization Admin");
  const task = await hub().post(user, place);
  const [first, second] = (await hub().call(user, `GET /run?task_id=${task.id}&sort=id`)).body.data;
  const [here, there] = place.members;
  await reporterOf(hub(), there!.node).start(second.id);
  const id = here!.node;
  assert.equal((await hub().call(admin, "POST /kill/node/tasks", { id: 2000000000 })).status, 404);
  assert.equal((await hub().call(otherAdmin, "POST /kill/node/tasks", { id })).status, 401);
  assert.equal((await hub().call(user, "POST /kill/node/tasks", { id })).status, 401);
  assert.equal((await hub().call(admin, "POST /kill/node/tasks", { id })).status, 400);
  await hub().collaborationDb`update node set status = 'online' where id = ${id}`;
  assert.equal((await hub().call(ownAdmin, "POST /kill/node/tasks", { id })).status, 200);
  assert.equal((await hub().call(user, `GET /run/${first.id}`)).body.status, "killed by user");
  assert.equal((await hub().call(user, `GET /run/${second.id}`)).body.status, "active");
});

Deno.test("a task whose open results are at no node is killed, too", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const { id } = await hub().post(user, place);
  // As the operator's shell stores results by hand.
  await hub().db`update result set node_id = null, dispatched_at = null where task_id = ${id}`;
  const { status, body } = await hub().call(user, "POST /kill/task", { id });
  assert.equal(status, 200, JSON.stringify(body));
  assert.match(body.msg, /: 1 unfinished results/);
  assert.equal((await hub().call(user, `GET /task/${id}`)).body.status, "killed by user");
  assert.equal((await hub().call(user, "POST /kill/task", { id })).status, 400);
});
