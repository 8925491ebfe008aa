import assert from "node:assert/strict";
import { parseEvent, type SextantEvent } from "../../shared/messages/events.ts";
import { subjects } from "../../shared/broker/subjects.ts";
import { waitFor } from "../../tests/harness.ts";
import { type Place, PLAIN_INPUT, reporterOf, useTaskHub } from "../../tests/support/task_hub.ts";
import * as operator from "./operator.ts";
import type { NewTask } from "./store/task.ts";

const hub = useTaskHub();
const change = <Answer>(
  work: Parameters<ReturnType<typeof hub>["deps"]["outbox"]["change"]>[0],
) => hub().deps.outbox.change(work) as Promise<Answer>;

/** Two shares, one of which runs, and a subtask at the other. */
async function familyAt(place: Place) {
  const user = await hub().user(place);
  const parent = await hub().post(user, place);
  const [share] = (await hub().call(user, `GET /run?task_id=${parent.id}&sort=id`)).body.data;
  const reporter = reporterOf(hub(), place.members[0]!.node);
  await reporter.hello();
  await reporter.start(share.id);
  const { body: child } = await hub().call(hub().container(place, 0, parent), "POST /task", {
    image: parent.image,
    collaboration_id: place.collaboration,
    organizations: [{ id: place.members[1]!.organization, input: PLAIN_INPUT }],
  });
  return { user, parent, child };
}

/**
 * What is told of these tasks while `work` is done, without what differs from one time to the
 * other.
 */
async function toldBy(
  tasks: { id: number }[],
  work: () => Promise<unknown>,
  count: number,
): Promise<unknown[]> {
  const ids = tasks.map((task) => task.id);
  const told: SextantEvent[] = [];
  const subscription = hub().nc.subscribe(subjects.allEvents(), {
    callback(_, message) {
      const event = parseEvent(message.subject, message.data);
      // That the tasks were made may be told late.
      if (!event || event.name === "task.created") return;
      if ("task_id" in event.data && ids.includes(event.data.task_id)) told.push(event);
    },
  });
  await hub().nc.flush();
  await work();
  await waitFor(() => told.length >= count, { what: `${count} events` });
  subscription.unsubscribe();
  return told.map(({ name, data }) => ({
    name,
    task: "task_id" in data ? ids.indexOf(data.task_id) : undefined,
    ...("status" in data ? { status: data.status } : {}),
    ...("task_status" in data ? { task_status: data.task_status } : {}),
  })).sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
}

async function ordersAt(place: Place): Promise<number> {
  const [row] = await hub().db<{ count: number }[]>`
    select count(*)::integer as count from stop_order
    where node_id = any(${place.members.map((one) => one.node)})`;
  return row!.count;
}

Deno.test("removeTask() leaves what DELETE /task leaves, and tells the same", async () => {
  const [one, other] = [await hub().place(2), await hub().place(2)];
  const [byApi, byOperator] = [await familyAt(one), await familyAt(other)];
  const api = await toldBy([byApi.parent, byApi.child], async () => {
    const { status } = await hub().call(
      await hub().user(one, 0, ["task:DELETE:GLOBAL"]),
      `DELETE /task/${byApi.parent.id}`,
    );
    assert.equal(status, 200);
  }, 5);
  const mine = await toldBy([byOperator.parent, byOperator.child], async () => {
    const tasks = await change<number>((change) =>
      operator.removeTask(change, byOperator.parent.id, new Date())
    );
    assert.equal(tasks, 2);
  }, 5);
  assert.deepEqual(mine, api);
  assert.equal(mine.length, 5);
  assert.equal(await ordersAt(one), 1);
  assert.equal(await ordersAt(other), 1);
  const ids = [byApi, byOperator].flatMap(({ parent, child }) => [parent.id, child.id]);
  assert.equal((await hub().db`select 1 from task where id = any(${ids})`).length, 0);
});

Deno.test("removeTask() says of a task that is gone that there is none", async () => {
  const removal = change((change) => operator.removeTask(change, 2 ** 30, new Date()));
  await assert.rejects(removal, { code: "not_found" });
});

async function valuesFor(place: Place): Promise<NewTask> {
  const user = await hub().user(place);
  return {
    name: "by hand",
    description: "",
    image: "average",
    job_id: await change<number>(({ tx }) => operator.nextRunId(tx)),
    collaboration_id: place.collaboration,
    study_id: null,
    parent_id: null,
    init_org_id: place.members[0]!.organization,
    init_user_id: user.id,
    init_username: null,
    algorithm_store_id: null,
    algorithm_store_url: null,
    timeout_seconds: null,
    deadline_at: null,
  };
}

Deno.test("createTask() stores a task that dispatchTask() hands to nodes, each organization once", async () => {
  const place = await hub().place(2);
  const viewer = await hub().user(place, 0, ["task:VIEW:GLOBAL", "run:VIEW:GLOBAL"]);
  const values = await valuesFor(place);
  const task = await change<{ id: number }>((change) =>
    operator.createTask(change, values, [{ label: "default", parameters: "{}" }])
  );
  const stored = (await hub().call(viewer, `GET /task/${task.id}`)).body;
  assert.deepEqual(stored.databases, [{ label: "default", parameters: "{}" }]);
  assert.equal(stored.name, "by hand");
  const shares = place.members.map(({ organization, node }) => ({
    organization_id: organization,
    node_id: node,
    input: PLAIN_INPUT,
  }));
  const send = () =>
    change<{ id: number }[]>((change) =>
      operator.dispatchTask(change, task.id, { shares, at: new Date() })
    );
  const rows = await send();
  assert.equal(rows.length, 2);
  await assert.rejects(send(), { code: "conflict" });
  const answer = await reporterOf(hub(), place.members[0]!.node).start(rows[0]!.id);
  assert.ok(answer.ok);
  assert.equal(answer.input, PLAIN_INPUT);
});

Deno.test("updateTask() changes what is given and puts databases in place of others", async () => {
  const place = await hub().place(1);
  const values = await valuesFor(place);
  const { id } = await change<{ id: number }>((change) =>
    operator.createTask(change, values, [{ label: "a", parameters: "{}" }])
  );
  const row = await change<{ name: string; image: string }>((change) =>
    operator.updateTask(change, id, { name: "other" }, [{ label: "b", parameters: "{}" }])
  );
  assert.equal(row.name, "other");
  assert.equal(row.image, "average");
  const labels = await hub().db`select label from task_database where task_id = ${id}`;
  assert.deepEqual([...labels], [{ label: "b" }]);
  const lost = change((change) => operator.updateTask(change, 2 ** 30, { name: "none" }));
  await assert.rejects(lost, { code: "not_found" });
});

Deno.test("createResult(), updateResult() and removeResult() tell of the task's status", async () => {
  const place = await hub().place(1);
  const values = await valuesFor(place);
  const task = await change<{ id: number }>((change) => operator.createTask(change, values));
  const organization_id = place.members[0]!.organization;
  let id = 0;
  const told = await toldBy([task], async () => {
    ({ id } = await change<{ id: number }>((change) =>
      operator.createResult(change, { task_id: task.id, organization_id, status: "pending" })
    ));
    await change((change) => operator.updateResult(change, id, { log: "nothing is told of this" }));
    await change((change) => operator.updateResult(change, id, { status: "active" }));
    await change((change) => operator.removeResult(change, id, new Date()));
  }, 3);
  assert.deepEqual(told, [
    { name: "result.status", task: 0, status: "active", task_status: "active" },
    { name: "result.status", task: 0, status: "killed by user", task_status: "killed by user" },
    { name: "result.status", task: 0, status: "pending", task_status: "pending" },
  ]);
  const again = change((change) => operator.removeResult(change, id, new Date()));
  await assert.rejects(again, { code: "not_found" });
});
