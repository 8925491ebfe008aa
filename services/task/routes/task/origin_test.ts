/**
 * Where a task comes from, as the nodes are told: who posted it, and which algorithm store has
 * approved its image.
 * @module
 */
import assert from "node:assert/strict";
import { publicKeyOf, verify } from "../../../../shared/broker/signing.ts";
import { subjects } from "../../../../shared/broker/subjects.ts";
import { readSignedDispatch } from "../../../../shared/node_protocol/dispatch.ts";
import {
  startAlgorithmStore,
  storeTokenIn,
  type TestStore,
} from "../../../../tests/support/algorithm_store.ts";
import {
  type Place,
  PLAIN_INPUT,
  reporterOf,
  useTaskHub,
} from "../../../../tests/support/task_hub.ts";

const hub = useTaskHub();
const DIGEST = `sha256:${"cd".repeat(32)}`;

/** What the node of the only member is given to do, which the hub must have signed. */
async function dispatched({ members }: Place, taskId: number) {
  const { node } = members[0]!;
  const subject = subjects.dispatch(node);
  const { dispatches } = await reporterOf(hub(), node).work();
  const given = dispatches.map((signed) => {
    const reading = readSignedDispatch(signed, {
      subject,
      verify: (...signed) => verify(publicKeyOf(hub().dispatchKey), ...signed),
    });
    assert.ok("value" in reading);
    return reading.value;
  });
  const { init_username, algorithm_store_url } = given.find((one) => one.task_id === taskId)!;
  return { init_username, algorithm_store_url };
}

async function linked(store: TestStore, { collaboration }: Place): Promise<number> {
  const [row] = await hub().collaborationDb<{ id: number }[]>`
    insert into algorithm_store (name, url, collaboration_id)
    values ('store', ${store.url}, ${collaboration}) returning id`;
  return row!.id;
}

async function poster(place: Place) {
  const user = await hub().user(place);
  assert.ok(user.kind === "user");
  return { user, username: user.username };
}

Deno.test("a dispatch names who posted the task and the store that approved its image, of subtasks too", async () => {
  const store = startAlgorithmStore();
  const place = await hub().place(1);
  const { user, username } = await poster(place);
  const none = await hub().post(user, place);
  assert.deepEqual(await dispatched(place, none.id), {
    init_username: username,
    algorithm_store_url: null,
  });

  store.approved.set("reg.example/avg:1", DIGEST);
  const store_id = await linked(store, place);
  const task = await hub().post(user, place, { image: "reg.example/avg:1", store_id });
  assert.equal(task.image, `reg.example/avg@${DIGEST}`);
  assert.equal(task.algorithm_store.id, store_id);
  const told = { init_username: username, algorithm_store_url: store.url };
  assert.deepEqual(await dispatched(place, task.id), told);

  await store.stop(); // for a subtask nobody is asked
  const container = hub().container(place, 0, task);
  const child = await hub().post(container, place, { image: task.image });
  assert.equal(child.algorithm_store.id, store_id);
  assert.deepEqual(await dispatched(place, child.id), told);
});

Deno.test("POST /task with a store asks it for the user, with no token of theirs, and makes nothing of what it has not approved", async () => {
  const store = startAlgorithmStore();
  const place = await hub().place(1);
  const { user } = await poster(place);
  const body = {
    image: "reg.example/evil:1",
    collaboration_id: place.collaboration,
    organizations: [{ id: place.members[0]!.organization, input: PLAIN_INPUT }],
    store_id: await linked(store, place),
  };
  const authorization = "Bearer of.the.user";
  const post = (change: object = {}) =>
    hub().call(user, "POST /task", { ...body, ...change }, { authorization });
  const refused = await post();
  assert.equal(refused.status, 400);
  assert.match(refused.body.msg, /does not have reg\.example\/evil:1/);
  assert.equal(store.askedBy.length, 1);
  assert.ok(user.kind === "user");
  assert.deepEqual(storeTokenIn(store.askedBy[0]), {
    type: "store",
    client_type: "user",
    sub: user.id,
    sid: user.session_id,
    aud: store.url,
    seconds: 120,
  });
  assert.equal((await post({ server_url: "nonsense" })).status, 400);
  await store.stop();
  const unreachable = await post();
  assert.equal(unreachable.status, 502);
  assert.match(unreachable.body.msg, /store at .* cannot be reached/);
  const tasks = await hub().db`
    select from task where collaboration_id = ${place.collaboration}`;
  assert.equal(tasks.length, 0);
});

// GHSA-vc3v-ppc7-v486: nodes once trusted whatever called itself a subtask.
Deno.test("POST /task by a user takes nobody's word for a parent, a user or a store", async () => {
  const place = await hub().place(1);
  const { user, username } = await poster(place);
  const other = await poster(place);
  const parent = await hub().post(other.user, place);
  const forged = await hub().post(user, place, {
    parent_id: parent.id,
    parent: { id: parent.id },
    job_id: parent.job_id,
    init_user_id: other.user.id,
    init_username: other.username,
    algorithm_store_url: "https://store.example/api",
  });
  assert.equal(forged.parent, null);
  assert.notEqual(forged.job_id, parent.job_id);
  assert.equal(forged.init_user.id, user.id);
  assert.deepEqual(await dispatched(place, forged.id), {
    init_username: username,
    algorithm_store_url: null,
  });
});
