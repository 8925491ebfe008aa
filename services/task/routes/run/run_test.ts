import assert from "node:assert/strict";
import { waitFor } from "../../../../tests/harness.ts";
import { reporterOf, useTaskHub } from "../../../../tests/support/task_hub.ts";

const hub = useTaskHub();

async function oneRun() {
  const place = await hub().place(2);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const [run, sibling] = (await hub().call(user, `GET /run?task_id=${task.id}&sort=id`)).body.data;
  const node = hub().node(place, 0);
  const patch = (body: unknown) => hub().call(node, `PATCH /run/${run.id}`, body);
  return { place, user, task, run, sibling, node, patch };
}

Deno.test("PATCH /run takes a stock node through the life of a run and merges what it says", async () => {
  const { user, run, patch } = await oneRun();
  const started = await patch({ started_at: "2026-03-24T10:00:05.123456" });
  assert.equal(started.status, 200);
  assert.equal(started.body.started_at, "2026-03-24T10:00:05.123000");
  assert.equal(started.body.status, "pending");
  assert.equal((await patch({ status: "initializing" })).body.status, "initializing");
  assert.equal((await patch({ status: "active", log: "fi\0rst" })).body.log, "fi\uFFFDrst");
  const kept = (await patch({ status: "active" })).body;
  assert.equal(kept.log, "fi\uFFFDrst");
  assert.equal(kept.started_at, "2026-03-24T10:00:05.123000");
  const done = await patch({
    result: btoa("1"),
    log: "all of\0it",
    status: "completed",
    finished_at: "2026-03-24T10:01:00+02:00",
  });
  assert.equal(done.body.finished_at, "2026-03-24T08:01:00");
  assert.equal(done.body.log, "all of\uFFFDit");
  assert.equal((await hub().call(user, `GET /result/${run.id}`)).body.result, btoa("1"));
  assert.equal((await patch({ log: "more" })).status, 400);
});

Deno.test("PATCH /run that ends a run keeps what was said before it", async () => {
  const { node, user, run, patch } = await oneRun();
  const upload = await hub().call(node, "POST /blobstream", new Uint8Array([1, 2, 3]));
  const said = { log: "computing", result: upload.body.uuid };
  assert.equal((await patch({ status: "active", ...said })).status, 200);
  assert.equal((await patch({ status: "active", result: said.result })).status, 200);
  const done = await patch({ status: "completed" });
  assert.equal(done.body.log, "computing");
  const { result, blob_storage_used } = (await hub().call(user, `GET /result/${run.id}`)).body;
  assert.deepEqual([result, blob_storage_used], [said.result, true]);
});

Deno.test("PATCH /run accepts every ISO form of a datetime and no other text", async () => {
  const { patch } = await oneRun();
  for (
    const [given, shown] of [
      ["2026-03-24T10:00:05", "2026-03-24T10:00:05"],
      ["2026-03-24T10:00:05Z", "2026-03-24T10:00:05"],
      ["2026-03-24T10:00:05.5+00:00", "2026-03-24T10:00:05.500000"],
      ["2026-03-24T10:00:05.123456-0130", "2026-03-24T11:30:05.123000"],
      ["2026-03-24 10:00", "2026-03-24T10:00:00"],
      ["2026-03-24", "2026-03-24T00:00:00"],
    ]
  ) {
    assert.equal((await patch({ started_at: given })).body.started_at, shown, given);
  }
  for (const bad of ["yesterday", "24-03-2026", "2026-13-01", "2026-03-24T25:00", 5]) {
    assert.equal((await patch({ started_at: bad })).status, 400, String(bad));
  }
});

Deno.test("PATCH /run refuses words that are no status and an end without a final status", async () => {
  const { patch } = await oneRun();
  assert.equal((await patch({ status: "running" })).status, 400);
  assert.equal((await patch({ finished_at: "2026-03-24T10:00:00" })).status, 400);
  assert.equal((await patch({ status: "active", finished_at: "2026-03-24T10:00:00" })).status, 400);
  const ended = await patch({ status: "non-existing Docker image" });
  assert.ok(ended.body.finished_at);
});

Deno.test("PATCH /run with a failure ends the siblings that nobody has begun", async () => {
  const { user, sibling, patch } = await oneRun();
  await patch({ status: "start failed" });
  const other = (await hub().call(user, `GET /run/${sibling.id}`)).body;
  assert.equal(other.status, "failed");
  assert.match(other.log, /Not run/);
});

Deno.test("PATCH /run is for the node of the run's organization and collaboration", async () => {
  const { place, user, run, patch } = await oneRun();
  const request = `PATCH /run/${run.id}`;
  const elsewhere = await hub().place(1);
  const sameOrganization = {
    ...hub().node(place, 0),
    collaboration_id: elsewhere.collaboration,
  } as ReturnType<ReturnType<typeof hub>["node"]>;
  for (const who of [user, hub().node(place, 1), hub().node(elsewhere), sameOrganization]) {
    assert.equal((await hub().call(who, request, { status: "active" })).status, 401);
  }
  assert.equal((await hub().call(hub().node(place), "PATCH /run/2000000000", {})).status, 404);
  await hub().call(user, "POST /kill/task", {
    id: (await hub().call(user, `GET /run/${run.id}`)).body.task.id,
  });
  assert.equal((await patch({ status: "killed by user" })).status, 400);
});

Deno.test("PATCH /run takes its locks in the order in which reports do", async () => {
  const { user, run, task, patch } = await oneRun();
  const db = hub().db;
  await patch({ status: "active" });
  await hub().call(user, "POST /kill/task", { id: task.id });
  let late: ReturnType<typeof patch> | undefined;
  await db.begin(async (tx) => {
    await tx`delete from stop_order where result_id = ${run.id}`;
    late = patch({ status: "killed by user" });
    const waits = () => db`select from pg_locks where not granted`;
    await waitFor(async () => (await waits()).length > 0, { what: "the PATCH to wait" });
    await tx`select from result where id = ${run.id} for update`;
  });
  assert.equal((await late!).status, 400);
});

Deno.test("POST and DELETE /port are for the node that executes the run", async () => {
  const { place, user, run, node } = await oneRun();
  const made = await hub().call(node, "POST /port", { port: 1234, run_id: run.id, label: "web" });
  assert.equal(made.status, 201);
  assert.deepEqual(made.body, { id: made.body.id, port: 1234, label: "web" });
  await hub().call(node, "POST /port", { port: 80, run_id: run.id, label: null });
  const ports = (await hub().call(user, `GET /run/${run.id}`)).body.ports;
  assert.deepEqual(ports[0], made.body);
  assert.equal(ports[1].label, null);
  for (const port of [0, 65536, "x"]) {
    assert.equal((await hub().call(node, "POST /port", { port, run_id: run.id })).status, 400);
  }
  const other = hub().node(place, 1);
  assert.equal((await hub().call(other, "POST /port", { port: 1, run_id: run.id })).status, 401);
  assert.equal((await hub().call(other, `DELETE /port?run_id=${run.id}`)).status, 401);
  assert.equal((await hub().call(node, "DELETE /port")).status, 400);
  assert.equal((await hub().call(node, `DELETE /port?run_id=${run.id}`)).status, 200);
  assert.deepEqual((await hub().call(user, `GET /run/${run.id}`)).body.ports, []);
});

Deno.test("reports of our agent and PATCH of a stock node cannot both end a run", async () => {
  const { place, run, patch } = await oneRun();
  const agent = reporterOf(hub(), place.members[0]!.node);
  await agent.start(run.id);
  const [reported, patched] = await Promise.all([
    agent.finish(run.id),
    patch({ status: "failed" }),
  ]);
  assert.equal(Number(reported.ok) + Number(patched.status === 200), 1);
});

Deno.test("GET /run gives what of the payloads is asked for, and nothing larger", async () => {
  const { place, user, task, run } = await oneRun();
  const agent = reporterOf(hub(), place.members[0]!.node);
  await agent.start(run.id);
  await agent.finish(run.id, { log: "said" });
  const shown = async (query: string) => {
    const [one] = (await hub().call(user, `GET /run?task_id=${task.id}&sort=id${query}`)).body.data;
    const single = await hub().call(user, `GET /run/${run.id}?x=${query}`);
    assert.deepEqual([single.body.input, single.body.log], [one.input, one.log]);
    assert.equal(one.status, "completed");
    return [one.input, one.log];
  };
  assert.deepEqual(await shown(""), [run.input, "said"]);
  assert.deepEqual(await shown("&payload=log"), [null, "said"]);
  assert.deepEqual(await shown("&payload=none"), [null, null]);
  assert.equal((await hub().call(user, "GET /run?payload=all")).status, 400);
});

Deno.test("lists of runs, results and tasks are the same when their payloads are too large to be read at once", async () => {
  const place = await hub().place(4);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const LARGE = 6 * 2 ** 20;
  const lists = [
    `/run?task_id=${task.id}&sort=id&page=1&per_page=3`,
    `/run?task_id=${task.id}&sort=-id`,
    `/result?task_id=${task.id}&sort=id&page=1`,
    `/task?job_id=${task.job_id}&include=runs,results&page=1`,
  ];
  const ask = (path: string) => hub().call(user, `GET ${path}`);
  const sized = (value: unknown) =>
    JSON.stringify(
      value,
      (key, one) => ["input", "result"].includes(key) && typeof one === "string" ? "…" : one,
    );
  await hub().db`update result set result = 'r' where task_id = ${task.id}`;
  const small = await Promise.all(lists.map(ask));
  await hub().db`
    update result set input = repeat('i', ${LARGE}), result = repeat('r', ${LARGE})
    where task_id = ${task.id}`;
  for (const [n, path] of lists.entries()) {
    const { status, body, headers } = await ask(path);
    assert.equal(status, 200, path);
    assert.equal(sized(body.data), sized(small[n]!.body.data), path);
    assert.deepEqual(body.links, small[n]!.body.links, path);
    assert.equal(headers.get("total-count"), small[n]!.headers.get("total-count"), path);
  }
});

Deno.test("a task whose results are too large for one answer says where they are in pages", async () => {
  const place = await hub().place(2);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const other = await hub().post(user, place);
  const ask = (path: string) => hub().call(user, `GET ${path}`);
  const grow = (column: "result" | "log", mib: number) =>
    hub().db`
      update result set ${hub().db(column)} = repeat('r', ${mib * 2 ** 20})
      where task_id = ${task.id}`;
  await grow("result", 30);
  const fits = await ask(`/task/${task.id}?include=results`);
  assert.deepEqual([fits.status, fits.body.results.length], [200, 2]);
  const list = `/task?collaboration_id=${place.collaboration}&sort=id&include=shares`;
  for (const [column, include] of [["result", "results"], ["log", "runs"]] as const) {
    await grow(column, 33);
    const refused = await ask(`/task/${task.id}?include=${include}`);
    assert.equal(refused.status, 413);
    assert.match(
      refused.body.msg,
      new RegExp(`larger than the 64 MiB .*/result\\?task_id=${task.id}&page=1&per_page=10`),
    );
    const { status, body } = await ask(`${list},${include}`);
    assert.equal(status, 200);
    const [large, small] = body.data;
    assert.equal(large[include], `/api/${column === "log" ? "run" : "result"}?task_id=${task.id}`);
    assert.equal(large.shares.length, 2);
    assert.deepEqual([small.id, small[include].length], [other.id, 2]);
    assert.equal((await ask(`/task/${task.id}?include=shares`)).status, 200);
    await grow(column, 1);
  }
  assert.equal((await ask(`/task/${task.id}?include=runs,results`)).status, 200);
});
