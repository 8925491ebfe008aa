/**
 * The main job, end to end, and what may go wrong in the middle of it.
 * @module
 */
import assert from "node:assert/strict";
import { runDemo } from "../services/stack/demo.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite } from "./site.ts";

const stack = useTestStack();
const DATA = ["x,y\n1,2\n2,4\n", "x,y\n3,6\n,1\n", "x,y\n6,12\n"];

Deno.test("the demo's federated numbers equal the pooled ones", async () => {
  const lines: string[] = [];
  const { agrees } = await runDemo(stack(), (line) => void lines.push(line));
  assert.ok(agrees, lines.join("\n"));
  assert.match(lines.join("\n"), /partial at Torgersen is completed/);
});

Deno.test("a node that starts after the task was posted gets its work", async () => {
  const site = await createSite(stack(), { data: DATA });
  const [first, second, late] = site.members;
  await site.startNode(first!);
  await site.startNode(second!);
  const task = await site.post({
    image: "deno:average@1.0.0",
    method: "central",
    kwargs: { column: "x" },
  });
  await waitFor(
    async () =>
      (await site.researcher.get(`/run?organization_id=${second!.id}&state=open`)).data.length ===
        0 &&
      (await site.researcher.get(`/run?organization_id=${second!.id}`)).data.length === 1,
    { what: "the second partial result" },
  );
  assert.equal((await site.researcher.get(`/task/${task.id}/status`)).status, "active");
  await site.startNode(late!);
  const { status, results } = await site.outcome(task.id);
  assert.equal(status, "completed");
  assert.equal(results[0].average, 3);
});

Deno.test("an algorithm of the library runs by its name, on the rows that the task chooses where owners allow it", async () => {
  const site = await createSite(stack(), {
    data: DATA,
    node: (index) => ({
      algorithm_library: true,
      policies: { allowed_algorithms: ["deno:compare_means"], allow_where: index !== 2 },
    }),
  });
  for (const member of site.members) await site.startNode(member);
  const run = async (kwargs: Record<string, unknown>) => {
    const image = "deno:compare_means@1.0.0";
    const task = await site.post({ image, method: "central", kwargs });
    return await site.outcome(task.id);
  };
  const all = await run({ column: "x", against: 1 });
  assert.equal(all.status, "completed", JSON.stringify(all.runs));
  assert.equal(all.results[0].groups.all.mean, 3);
  assert.equal(all.results[0].left_out.missing.x, 1);

  const two = site.members.slice(0, 2).map(({ id }) => id);
  const some = await run({ column: "x", against: 1, where: "y >= 4", organizations: two });
  assert.equal(some.status, "completed", JSON.stringify(some.runs));
  assert.equal(some.results[0].groups.all.mean, 2.5);
  assert.deepEqual(some.results[0].left_out.where, { not_met: 2, unknown: 0 });

  const refused = await run({ column: "x", against: 1, where: "y >= 4" });
  assert.notEqual(refused.status, "completed");
  assert.match(refused.runs[0].log, /argument "where".*policies\.allow_where is false/);
});

Deno.test("a node killed while its algorithm runs ends the result once, in the second attempt", async () => {
  const site = await createSite(stack(), { data: DATA.slice(0, 1) });
  const [member] = site.members;
  await site.startNode(member!);
  const task = await site.post({ image: "deno:slow@1.0.0", method: "wait", kwargs: { ms: 3000 } });
  // Not merely "active": the algorithm itself must have spoken, so that it is the run that is lost.
  await waitFor(
    async () =>
      /waiting/.test((await site.researcher.get(`/run?task_id=${task.id}`)).data[0].log ?? ""),
    { what: "the algorithm to speak" },
  );
  await stack().part(`node ${member!.node}`).kill9();
  await stack().part(`node ${member!.node}`).restart();
  const { status, runs, results } = await site.outcome(task.id);
  assert.equal(status, "completed");
  assert.equal(runs[0].attempt, 2);
  assert.deepEqual(results[0], { waited: 3000 });
});

for (const part of ["nats", "identity", "collaboration", "task", "gateway"]) {
  Deno.test(`${part} killed in the middle of a task and started again loses nothing`, async () => {
    const site = await createSite(stack(), { data: DATA });
    for (const member of site.members) await site.startNode(member);
    const task = await site.post({
      image: "deno:slow@1.0.0",
      method: "wait",
      kwargs: { ms: 1500 },
      members: site.members,
    });
    await waitFor(
      async () => (await site.researcher.get(`/task/${task.id}/status`)).status === "active",
      { what: "the algorithms to start" },
    );
    await stack().part(part).kill9();
    await stack().part(part).restart();
    const { status, runs } = await site.outcome(task.id);
    assert.equal(status, "completed");
    assert.deepEqual(runs.map((run) => run.attempt), [1, 1, 1]);
  });
}

Deno.test("a failing algorithm's reason reaches the researcher, and untouched siblings are not run", async () => {
  const site = await createSite(stack(), { data: DATA.slice(0, 2) });
  await site.startNode(site.members[0]!);
  const task = await site.post({ image: "deno:slow@1.0.0", method: "fail", members: site.members });
  const { status, runs } = await site.outcome(task.id);
  assert.equal(status, "failed", JSON.stringify(runs));
  assert.match(
    runs.find((run) => run.organization.id === site.members[0]!.id).log,
    /fails on purpose/,
  );
  assert.match(runs.find((run) => run.organization.id === site.members[1]!.id).log, /Not run/);
});

Deno.test("a result that is too long for a message arrives whole", async () => {
  const site = await createSite(stack(), { data: DATA.slice(0, 1) });
  await site.startNode(site.members[0]!);
  const length = 3_000_000;
  const task = await site.post({ image: "deno:slow@1.0.0", method: "text", kwargs: { length } });
  const { results } = await site.outcome(task.id);
  assert.equal(results[0].length, length);
});

Deno.test("a container image is refused with a reason", async () => {
  const site = await createSite(stack(), { data: DATA.slice(0, 1) });
  await site.startNode(site.members[0]!);
  const task = await site.post({ image: "registry.example/average:1", method: "central" });
  const { runs } = await site.outcome(task.id);
  assert.match(runs[0].log, /container|image|not allowed|policy/i);
});

Deno.test("an unknown column fails with a reason that names the column", async () => {
  const site = await createSite(stack(), { data: DATA.slice(0, 1) });
  await site.startNode(site.members[0]!);
  const task = await site.post({
    image: "deno:average@1.0.0",
    method: "central",
    kwargs: { column: "hight" },
  });
  const { status, runs } = await site.outcome(task.id);
  assert.notEqual(status, "completed");
  assert.match(runs[0].log, /hight/);
});
