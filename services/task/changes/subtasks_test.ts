import assert from "node:assert/strict";
import type { Principal } from "../../../shared/contract/permissions.ts";
import { waitFor } from "../../../tests/harness.ts";
import {
  type Place,
  PLAIN_INPUT,
  reporterOf,
  type TaskHub,
  useTaskHub,
} from "../../../tests/support/task_hub.ts";
import { MAX_ATTEMPTS } from "../rules.ts";

const hub = useTaskHub();

interface Run {
  id: number;
  status: string;
  log: string;
}

interface Central {
  place: Place;
  user: Principal;
  /** The agents of the two organizations, each with a central part that runs. */
  agents: ReturnType<typeof reporterOf>[];
  runs: Run[];
  /** Makes a subtask for the second organization, as the central part at one of them. */
  make(member: number, extra?: Record<string, unknown>): ReturnType<TaskHub["call"]>;
  /** The one result of a task. */
  resultOf(task: { id: number }): Promise<Run>;
}

/** A task with a central part at each of two organizations, both under way. */
async function central(): Promise<Central> {
  const place = await hub().place(2);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const agents = place.members.map((one) => reporterOf(hub(), one.node));
  const runsOf = async (id: number): Promise<Run[]> =>
    (await hub().call(user, `GET /run?task_id=${id}&sort=id`)).body.data;
  const runs = await runsOf(task.id);
  for (const [n, agent] of agents.entries()) await agent.start(runs[n]!.id);
  return {
    place,
    user,
    agents,
    runs,
    make: (member, extra = {}) =>
      hub().call(hub().container(place, member, task), "POST /task", {
        image: task.image,
        collaboration_id: place.collaboration,
        organizations: [{ id: place.members[1]!.organization, input: PLAIN_INPUT }],
        ...extra,
      }),
    resultOf: async ({ id }) => (await runsOf(id))[0]!,
  };
}

/** Which results a node that is connected has been told to stop. */
async function toldToStop(node: number): Promise<number[]> {
  const told: number[] = [];
  const { nc } = await hub().nats.node(node);
  nc.subscribe(`kill.${node}`, {
    callback: (_, message) => void told.push(message.json<{ result_id: number }>().result_id),
  });
  await nc.flush();
  return told;
}

Deno.test("a central part that crashes takes what it had computed along, and nobody else's", async () => {
  const { place, agents, runs, make, resultOf } = await central();
  const [mine, done, theirs] = [await make(0), await make(0), await make(1)];
  const below = await hub().call(
    hub().container(place, 1, mine.body),
    "POST /task",
    {
      image: mine.body.image,
      collaboration_id: place.collaboration,
      organizations: [{ id: place.members[0]!.organization, input: PLAIN_INPUT }],
    },
  );
  const running = await resultOf(mine.body);
  await agents[1]!.start(running.id);
  const finished = await resultOf(done.body);
  await agents[1]!.start(finished.id);
  await agents[1]!.finish(finished.id);
  const told = await toldToStop(place.members[1]!.node);

  await agents[0]!.finish(runs[0]!.id, { status: "crashed", result: null, reason: "a bug" });
  const ended = await resultOf(mine.body);
  assert.equal(ended.status, "failed");
  assert.match(
    ended.log,
    /Not needed any more: the share that asked for this ended as "crashed"\./,
  );
  assert.equal((await resultOf(below.body)).status, "failed", "and what that had made");
  assert.equal((await resultOf(done.body)).status, "completed");
  assert.equal((await resultOf(theirs.body)).status, "pending", "the other central part goes on");
  await waitFor(() => told.includes(running.id), { what: "its node to be told" });
  assert.deepEqual(await agents[1]!.finish(running.id), { ok: false, reason: "finished" });
});

Deno.test("an attempt that is lost takes its subtasks along, and makes none after that", async () => {
  const { agents, runs, make, resultOf } = await central();
  const [first, again] = [await make(0, { parent_attempt: 1 }), await make(0)];
  const later = await make(0, { parent_attempt: 2 });
  assert.equal(later.status, 401, "an attempt that has not been made yet");
  await agents[0]!.lost(runs[0]!.id);
  for (const { body } of [first, again]) {
    const { status, log } = await resultOf(body);
    assert.equal(status, "failed");
    assert.match(
      log,
      /attempt 1 at the share that asked for this was lost: the machine lost power/,
    );
  }
  const late = await make(0, { parent_attempt: 1 });
  assert.equal(late.status, 401);
  assert.match(late.body.msg, /an attempt that was given up/);
  const second = await make(0, { parent_attempt: 2 });
  assert.equal(second.status, 201, JSON.stringify(second.body));
  assert.equal((await resultOf(second.body)).status, "pending");
});

Deno.test("a central part that is given up, or that a hello does not name, leaves no subtask", async () => {
  const { agents, runs, make, resultOf } = await central();
  const [agent] = agents;
  const made = [await make(0)];
  await agent!.hello();
  assert.equal((await resultOf(made[0]!.body)).status, "failed");
  for (let attempt = 2; attempt <= MAX_ATTEMPTS; attempt++) {
    await agent!.start(runs[0]!.id, attempt);
    made.push(await make(0, { parent_attempt: attempt }));
    await agent!.lost(runs[0]!.id, attempt);
  }
  for (const { body } of made) assert.equal((await resultOf(body)).status, "failed");
  assert.equal((await make(0)).status, 401);
});

Deno.test("a central part that is killed at its node, or fails as v6's nodes say it, leaves no subtask", async () => {
  const { place, user, runs, make, resultOf } = await central();
  const [here, there] = [await make(0), await make(1)];
  const patched = await hub().call(hub().node(place, 0), `PATCH /run/${runs[0]!.id}`, {
    status: "crashed",
  });
  assert.equal(patched.status, 200, JSON.stringify(patched.body));
  assert.equal((await resultOf(here.body)).status, "failed");
  assert.equal((await resultOf(there.body)).status, "pending");
  const { node } = place.members[1]!;
  await hub().collaborationDb`update node set status = 'online' where id = ${node}`;
  const admin = await hub().user(place, 0, "Collaboration Admin");
  const killed = await hub().call(admin, "POST /kill/node/tasks", { id: node });
  assert.equal(killed.status, 200, JSON.stringify(killed.body));
  assert.notEqual((await resultOf(there.body)).status, "pending");
  assert.equal((await hub().call(user, `GET /run/${runs[1]!.id}`)).body.status, "killed by user");
});

Deno.test("central parts that end while they make subtasks leave none, and wait for nobody for ever", async () => {
  for (let round = 0; round < 5; round++) {
    const { user, agents, runs, make } = await central();
    const [made] = await Promise.all([
      Promise.all(Array.from({ length: 4 }, (_, n) => make(n % 2, { parent_attempt: 1 }))),
      agents[0]!.lost(runs[0]!.id),
      agents[1]!.finish(runs[1]!.id, { status: "crashed", result: null }),
    ]);
    for (const { status, body } of made) {
      if (status !== 201) continue;
      const { status: now } = (await hub().call(user, `GET /task/${body.id}/status`)).body;
      assert.equal(now, "failed");
    }
  }
});
