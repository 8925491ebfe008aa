import assert from "node:assert/strict";
import { useTaskHub } from "../../../../tests/support/task_hub.ts";

let clock = Date.now();
const hub = useTaskHub({
  settings: { maxSubtasks: 5, subtasksPerMinute: 6 },
  now: () => new Date(clock),
});

async function oneRun() {
  const place = await hub().place(1);
  const task = await hub().post(await hub().user(place), place);
  const container = hub().container(place, 0, task);
  const input = btoa('{"method": "average"}');
  const makeSubtask = () =>
    hub().call(container, "POST /task", {
      image: task.image,
      collaboration_id: place.collaboration,
      organizations: [{ id: place.members[0]!.organization, input }],
    });
  return { place, task, makeSubtask };
}

Deno.test("the runs at a node make subtasks at a rate, and may go on a little later", async () => {
  const { makeSubtask } = await oneRun();
  for (let n = 0; n < 3; n++) assert.equal((await makeSubtask()).status, 201);
  const refused = await makeSubtask();
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "10");
  const other = await oneRun();
  assert.equal((await other.makeSubtask()).status, 201, "of another node nothing is taken away");
  clock += 10_000;
  assert.equal((await makeSubtask()).status, 201);
  assert.equal((await makeSubtask()).status, 429);
});

Deno.test("a run makes so many subtasks and no more; what users post is not counted", async () => {
  const { place, makeSubtask } = await oneRun();
  for (let n = 0; n < 5; n++) {
    clock += 10_000;
    assert.equal((await makeSubtask()).status, 201);
  }
  clock += 10_000;
  const refused = await makeSubtask();
  assert.equal(refused.status, 400);
  assert.match(refused.body.msg, /this run has made 5.*SEXTANT_MAX_SUBTASKS/);
  const user = await hub().user(place);
  for (let n = 0; n < 7; n++) await hub().post(user, place);
});
