import assert from "node:assert/strict";
import { reporterOf, useTaskHub } from "../../tests/support/task_hub.ts";
import type { SextantEvent } from "../../shared/messages/events.ts";
import { createReactions } from "./reactions.ts";
import type { TaskDeps } from "./deps.ts";

const hub = useTaskHub();

function reactions(deps: Partial<TaskDeps> = {}) {
  return createReactions({ ...hub().deps, ...deps });
}

function event<Name extends SextantEvent["name"]>(
  name: Name,
  data: Extract<SextantEvent, { name: Name }>["data"],
): SextantEvent {
  return { name, at: new Date().toISOString(), data } as SextantEvent;
}

async function twoRuns() {
  const place = await hub().place(2);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const runs = (await hub().call(user, `GET /run?task_id=${task.id}&sort=id`)).body.data;
  const status = async () => (await hub().call(user, `GET /task/${task.id}`)).status;
  return { place, user, task, runs, status };
}

Deno.test("the tasks of a deleted collaboration, organization or user go with it", async () => {
  for (const noun of ["collaboration", "organization", "user"] as const) {
    const { place, user, status } = await twoRuns();
    const gone = noun === "collaboration"
      ? event("collaboration.deleted", { collaboration_id: place.collaboration })
      : noun === "organization"
      ? event("organization.deleted", { organization_id: user.organization_id })
      : event("user.deleted", { user_id: user.id, organization_id: user.organization_id });
    const other = await twoRuns();
    await reactions().handle(gone);
    await reactions().handle(gone);
    assert.equal(await status(), 404, noun);
    assert.equal(await other.status(), 200, noun);
  }
});

Deno.test("what a deleted node should still have computed fails, what it has computed stays", async () => {
  const { place, user, task, runs } = await twoRuns();
  const done = await hub().post(user, place);
  const [own] = (await hub().call(user, `GET /run?task_id=${done.id}&sort=id`)).body.data;
  const [first] = place.members;
  const agent = reporterOf(hub(), first!.node);
  await agent.hello();
  await agent.start(own.id);
  await agent.finish(own.id);
  await agent.start(runs[0].id);
  const gone = event("node.deleted", {
    node_id: first!.node,
    organization_id: first!.organization,
    collaboration_id: place.collaboration,
  });
  await hub().collaborationDb`delete from node where id = ${first!.node}`;
  await reactions().handle(gone);
  await reactions().handle(gone);
  const failed = (await hub().call(user, `GET /run/${runs[0].id}`)).body;
  assert.equal(failed.status, "failed");
  assert.match(failed.log, /node .* was deleted/);
  assert.deepEqual(failed.node, {});
  assert.equal((await hub().call(user, `GET /run/${own.id}`)).body.status, "completed");
  const orders = await hub().db`select 1 from stop_order where node_id = ${first!.node}`;
  assert.equal(orders.length, 0);
  const listed = (await hub().call(user, `GET /run?task_id=${task.id}`)).body.data;
  assert.equal(listed.length, 2);
});

Deno.test("what a moved node should still have computed for its former collaboration fails", async () => {
  const { place, user, runs } = await twoRuns();
  const elsewhere = await twoRuns();
  const [first] = place.members;
  const moved = event("membership.deleted", {
    node_id: first!.node,
    organization_id: first!.organization,
    collaboration_id: place.collaboration,
  });
  // Of the collaboration that it is in now.
  await hub().db`
    update result set node_id = ${first!.node} where id = ${elsewhere.runs[0].id}`;
  await reactions().handle(moved);
  await reactions().handle(moved);
  const failed = (await hub().call(user, `GET /run/${runs[0].id}`)).body;
  assert.equal(failed.status, "failed");
  assert.match(failed.log, /node .* was moved to another collaboration/);
  assert.equal(
    (await hub().call(elsewhere.user, `GET /run/${elsewhere.runs[0].id}`)).body.status,
    "pending",
  );
});

Deno.test("catchUp() fails what a node that was moved still had to compute", async () => {
  const [from, to] = [await twoRuns(), await twoRuns()];
  const { node, organization } = from.place.members[0]!;
  await hub().collaborationDb`
    insert into collaboration_member (collaboration_id, organization_id)
    values (${to.place.collaboration}, ${organization})`;
  await hub().collaborationDb`
    update node set collaboration_id = ${to.place.collaboration} where id = ${node}`;
  await reactions().catchUp();
  const failed = (await hub().call(from.user, `GET /run/${from.runs[0].id}`)).body;
  assert.deepEqual([failed.status, /moved/.test(failed.log)], ["failed", true]);
  assert.equal((await hub().call(to.user, `GET /run/${to.runs[0].id}`)).body.status, "pending");
});

Deno.test("catchUp() finds what missed events have left behind", async () => {
  const lost = await twoRuns();
  await hub()
    .collaborationDb`delete from node where collaboration_id = ${lost.place.collaboration}`;
  await hub().collaborationDb`delete from collaboration where id = ${lost.place.collaboration}`;
  const nodeless = await twoRuns();
  await hub().collaborationDb`delete from node where id = ${nodeless.place.members[0]!.node}`;
  const whole = await twoRuns();
  await reactions().catchUp();
  assert.equal(await lost.status(), 404);
  const run = (await hub().call(nodeless.user, `GET /run/${nodeless.runs[0].id}`)).body;
  assert.equal(run.status, "failed");
  const untouched = (await hub().call(whole.user, `GET /task/${whole.task.id}`)).body;
  assert.equal(untouched.status, "pending");
});

Deno.test("catchUp() misses no study, organization or user that is gone", async () => {
  const [study, organization, user, whole] = [
    await twoRuns(),
    await twoRuns(),
    await twoRuns(),
    await twoRuns(),
  ];
  await hub().db`update task set study_id = 2000000000 where id = ${study.task.id}`;
  await hub().db`update task set init_org_id = 2000000000 where id = ${organization.task.id}`;
  await hub().identityDb`delete from "user" where id = ${user.user.id}`;
  await reactions().catchUp();
  for (const gone of [study, organization, user]) assert.equal(await gone.status(), 404);
  assert.equal(await whole.status(), 200);
});

Deno.test("catchUp() deletes nothing when another service knows nothing at all", async () => {
  const { status, user, runs } = await twoRuns();
  const nothing: Record<string, unknown> = {
    scope: { collaboration: null, study: null, nodes: [] },
    node: null,
    organizations: [],
    user_place: null,
  };
  for (const empty of ["collaboration", "identity"]) {
    const ask = ((service: string, method: string, input: never) =>
      service === empty
        ? Promise.resolve(nothing[method])
        : hub().deps.ask(service as "task", method as never, input)) as TaskDeps["ask"];
    await reactions({ ask }).catchUp();
    assert.equal(await status(), 200, empty);
    assert.equal((await hub().call(user, `GET /run/${runs[0].id}`)).body.status, "pending");
  }
});
