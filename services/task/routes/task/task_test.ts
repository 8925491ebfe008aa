import assert from "node:assert/strict";
import { startAlgorithmStore } from "../../../../tests/support/algorithm_store.ts";
import { PLAIN_INPUT, reporterOf, useTaskHub } from "../../../../tests/support/task_hub.ts";

const hub = useTaskHub();

Deno.test("POST /task answers with exactly the fields of the contract and our own", async () => {
  const place = await hub().place(2);
  const user = await hub().user(place);
  const { status, body } = await hub().call(user, "POST /task", {
    name: "avg",
    description: "d",
    image: "reg.example/avg:1",
    collaboration_id: String(place.collaboration),
    organizations: place.members.map((one) => ({
      id: one.organization,
      input: PLAIN_INPUT,
      more: 1,
    })),
    databases: [{ label: "default", query: "SELECT 1" }, { label: "other" }],
    timeout_seconds: 60,
    unknown: true,
  });
  assert.equal(status, 201);
  const { id, job_id, created_at } = body;
  assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/);
  assert.deepEqual(body, {
    id,
    name: "avg",
    description: "d",
    image: "reg.example/avg:1",
    job_id,
    run_id: job_id,
    created_at,
    finished_at: null,
    status: "pending",
    complete: false,
    waiting: null,
    timeout_seconds: 60,
    collaboration: {
      id: place.collaboration,
      link: `/api/collaboration/${place.collaboration}`,
      methods: ["GET", "PATCH", "DELETE"],
    },
    study: null,
    algorithm_store: null,
    parent: null,
    init_org: {
      id: user.organization_id,
      link: `/api/organization/${user.organization_id}`,
      methods: ["GET", "PATCH", "DELETE"],
    },
    init_user: { id: user.id, link: `/api/user/${user.id}`, methods: ["GET", "PATCH", "DELETE"] },
    databases: [
      { label: "default", parameters: '{"query":"SELECT 1"}' },
      { label: "other", parameters: "{}" },
    ],
    runs: `/api/run?task_id=${id}`,
    results: `/api/result?task_id=${id}`,
    children: `/api/task?parent_id=${id}`,
  });
});

Deno.test("GET /run and GET /result show what the contract says, before and after", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const [member] = place.members;
  const open = await hub().call(user, `GET /run?task_id=${task.id}`);
  assert.equal(open.headers.get("total-count"), "1");
  const [run] = open.body.data;
  assert.deepEqual({ ...run, assigned_at: null }, {
    id: run.id,
    status: "pending",
    input: PLAIN_INPUT,
    log: null,
    assigned_at: null,
    started_at: null,
    finished_at: null,
    cleanup_at: null,
    blob_storage_used: false,
    attempt: 1,
    held_since: null,
    waiting: null,
    code: null,
    organization: {
      id: member!.organization,
      link: `/api/organization/${member!.organization}`,
      methods: ["GET", "PATCH", "DELETE"],
    },
    task: { id: task.id, link: `/api/task/${task.id}`, methods: ["GET", "DELETE"] },
    results: { id: run.id, link: `/api/result/${run.id}`, methods: ["GET"] },
    node: { id: member!.node, name: run.node.name, ip: null, status: "offline" },
    ports: [],
  });
  const empty = await hub().call(user, `GET /result/${run.id}`);
  assert.equal(empty.body.result, null);

  const node = reporterOf(hub(), member!.node);
  await node.start(run.id);
  assert.deepEqual((await hub().call(user, `GET /task/${task.id}/status`)).body, {
    status: "active",
  });
  await node.finish(run.id, { result: btoa("53") });
  const result = await hub().call(user, `GET /result/${run.id}`);
  assert.deepEqual(result.body, {
    id: run.id,
    result: btoa("53"),
    blob_storage_used: false,
    cleanup_at: null,
    run: { id: run.id, link: `/api/run/${run.id}`, methods: ["GET", "PATCH"] },
    task: { id: task.id, link: `/api/task/${task.id}`, methods: ["GET", "DELETE"] },
  });
  const done = (await hub().call(user, `GET /task/${task.id}?include=runs,results`)).body;
  assert.equal(done.status, "completed");
  assert.equal(done.complete, true);
  assert.equal(done.finished_at, done.runs[0].finished_at);
  assert.deepEqual(done.results, [result.body]);
  const [withTask] = (await hub().call(user, `GET /run?task_id=${task.id}&include=task`)).body.data;
  assert.equal(withTask.task.name, "a task");
  assert.equal("runs" in withTask.task, false);
});

Deno.test("include shows runs and results as far as the caller may view runs, and no further", async () => {
  const place = await hub().place(1);
  const author = await hub().user(place);
  const task = await hub().post(author, place);
  const own = await hub().user(place, 0, ["task:VIEW:COLLABORATION", "run:VIEW:OWN"]);
  const none = await hub().user(place, 0, ["task:VIEW:COLLABORATION"]);
  for (const include of ["runs", "shares", "results"]) {
    const list = `GET /task?collaboration_id=${place.collaboration}&include=${include}`;
    const one = `GET /task/${task.id}?include=${include}`;
    assert.equal((await hub().call(none, list)).status, 401);
    assert.equal((await hub().call(none, one)).status, 401);
    assert.equal((await hub().call(own, one)).status, 401);
    const [link] = (await hub().call(own, list)).body.data;
    const without = include === "shares" ? "undefined" : "string";
    assert.equal(typeof link[include], without, "the link stays");
    const [shown] = (await hub().call(author, list)).body.data;
    assert.equal(shown[include].length, 1);
  }
});

Deno.test("include=shares shows how far each organization is, and no payload", async () => {
  const place = await hub().place(2);
  const user = await hub().user(place);
  const task = await hub().post(user, place, { keep_going: true });
  const [first, second] = (await hub().call(user, `GET /run?task_id=${task.id}&sort=id`)).body.data;
  await reporterOf(hub(), place.members[1]!.node).finish(second.id, { status: "crashed" });
  const { body } = await hub().call(
    user,
    `GET /task?collaboration_id=${place.collaboration}&include=shares&per_page=5`,
  );
  const common = { attempt: 1, held_since: null };
  assert.deepEqual(body.data[0].shares, [
    {
      id: first.id,
      organization_id: place.members[0]!.organization,
      status: first.status,
      ...common,
    },
    {
      id: second.id,
      organization_id: place.members[1]!.organization,
      status: "crashed",
      ...common,
    },
  ]);
  assert.equal("shares" in (await hub().call(user, `GET /task/${task.id}`)).body, false);
});

Deno.test("GET /task filters by everything the contract names", async () => {
  const place = await hub().place(2);
  const user = await hub().user(place);
  const other = await hub().user(place);
  const [study] = await hub().collaborationDb`
    insert into study (name, collaboration_id) values (${crypto.randomUUID()}, ${place.collaboration})
    returning id`;
  for (const { organization } of place.members) {
    await hub().collaborationDb`
      insert into study_member (study_id, organization_id) values (${study!.id}, ${organization})`;
  }
  const server = startAlgorithmStore();
  server.approved.set("special:1", null);
  const [store] = await hub().collaborationDb`
    insert into algorithm_store (name, url, collaboration_id)
    values ('store', ${server.url}, ${place.collaboration}) returning id`;
  const plain = await hub().post(user, place);
  const rich = await hub().post(other, place, {
    name: "other name",
    image: "special:1",
    description: "a long story",
    study_id: study!.id,
    store_id: store!.id,
    databases: [{ label: "cohort" }],
  });
  await server.stop();
  const child = (await hub().call(
    hub().container(place, 0, plain),
    "POST /task",
    {
      image: plain.image,
      collaboration_id: place.collaboration,
      organizations: [{ id: place.members[1]!.organization, input: PLAIN_INPUT }],
    },
  )).body;
  assert.deepEqual(
    [child.parent.id, child.job_id, child.init_user.id, child.init_org.id],
    [plain.id, plain.job_id, user.id, place.members[0]!.organization],
  );
  const [childRun] = (await hub().call(user, `GET /run?task_id=${child.id}`)).body.data;
  await reporterOf(hub(), place.members[1]!.node).finish(childRun.id, { status: "crashed" });

  const expected: [string, unknown[]][] = [
    ["", [child, rich, plain]],
    [`collaboration_id=${place.collaboration}`, [child, rich, plain]],
    [`init_user_id=${other.id}`, [rich]],
    [`init_org_id=${user.organization_id}`, [child, rich, plain]],
    [`init_org_id=${place.members[1]!.organization}`, []],
    [`study_id=${study!.id}`, [rich]],
    [`store_id=${store!.id}`, [rich]],
    [`parent_id=${plain.id}`, [child]],
    [`job_id=${plain.job_id}`, [child, plain]],
    [`run_id=${childRun.id}`, [child]],
    ["name=other%25", [rich]],
    ["name=other", []],
    ["image=special:_", [rich]],
    ["description=%25story", [rich]],
    ["database=cohort", [rich]],
    ["search=LONG%20STORY", [rich]],
    ["search=special:1", [rich]],
    ["search=%25", []],
    ["created_from=2000-01-01", [child, rich, plain]],
    ["created_from=2200-01-01", []],
    ["created_till=2000-01-01", []],
    [`created_from=${plain.created_at}&created_till=2200-01-01`, [child, rich, plain]],
    ["status=crashed", [child]],
    ["status=pending", [rich, plain]],
    ["is_user_created=0", [child]],
    ["is_user_created=1", [rich, plain]],
    ["sort=id", [plain, rich, child]],
    ["per_page=1&page=2", [rich]],
  ];
  for (const [filter, tasks] of expected) {
    const { status, body } = await hub().call(user, `GET /task?${filter}`);
    assert.equal(status, 200, `${filter}: ${JSON.stringify(body)}`);
    const found = body.data.map((task: { id: number }) => task.id);
    assert.deepEqual(found, tasks.map((task) => (task as { id: number }).id), filter);
  }
  for (const noun of ["init_user", "study", "parent", "job", "run", "store"]) {
    const { status } = await hub().call(user, `GET /task?${noun}_id=2000000000`);
    assert.equal(status, 400, noun);
  }
  for (const bad of ["study_id=x", "per_page=0", "sort=secret", "is_user_created=yes"]) {
    assert.equal((await hub().call(user, `GET /task?${bad}`)).status, 400, bad);
  }
});

Deno.test("filters do not show what belongs to others", async () => {
  const place = await hub().place(1);
  const owner = await hub().user(place);
  const task = await hub().post(owner, place);
  const [run] = (await hub().call(owner, `GET /run?task_id=${task.id}`)).body.data;
  const elsewhere = await hub().place(1);
  const stranger = await hub().user(elsewhere);
  const [study] = await hub().collaborationDb`
    insert into study (name, collaboration_id) values (${crypto.randomUUID()}, ${place.collaboration})
    returning id`;
  const refused = [
    `GET /task?init_user_id=${owner.id}`,
    `GET /task?init_org_id=${owner.organization_id}`,
    `GET /task?collaboration_id=${place.collaboration}`,
    `GET /task?study_id=${study!.id}`,
    `GET /task?parent_id=${task.id}`,
    `GET /task?job_id=${task.job_id}`,
    `GET /task?run_id=${run.id}`,
    `GET /run?task_id=${task.id}`,
    `GET /run?collaboration_id=${place.collaboration}`,
    `GET /result?organization_id=${owner.organization_id}`,
    `GET /task/${task.id}`,
    `GET /task/${task.id}/status`,
    `GET /run/${run.id}`,
    `GET /result/${run.id}`,
    `DELETE /task/${task.id}`,
  ];
  for (const request of refused) {
    assert.equal((await hub().call(stranger, request)).status, 401, request);
  }
  for (const list of ["/task", `/run?job_id=${task.job_id}`, `/result?job_id=${task.job_id}`]) {
    assert.deepEqual((await hub().call(stranger, `GET ${list}`)).body.data, [], list);
  }
  const { data } = (await hub().call(owner, `GET /run?job_id=${task.job_id}`)).body;
  assert.deepEqual(data.map((one: { id: number }) => one.id), [run.id]);
});

Deno.test("GET /run and /result filter by state, node, port and each of the three times", async () => {
  const place = await hub().place(2);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const runs = (await hub().call(user, `GET /run?task_id=${task.id}&sort=id`)).body.data;
  const [first, second] = runs;
  const node = reporterOf(hub(), place.members[0]!.node);
  await node.start(first.id);
  await hub().call(hub().node(place, 0), "POST /port", {
    port: 1234,
    run_id: first.id,
    label: "web",
  });
  const times = await hub().db<{ started_at: Date }[]>`
    select started_at from result where id = ${first.id}`;
  const started = times[0]!.started_at.toISOString().slice(0, -1);
  const expected: [string, unknown[]][] = [
    ["state=open", [second, first]],
    ["state=active", [first]],
    ["state=completed", []],
    ["state=closed", [second, first]], // v6 ignores what it does not know
    [`node_id=${place.members[0]!.node}`, [first]],
    [`organization_id=${place.members[1]!.organization}`, [second]],
    ["port=1234", [first]],
    ["port=4321", []],
    ["started_from=2020-01-01", [first]],
    ["started_from=2020-1-1&started_till=20900101", [first]],
    [`started_till=${started}`, [first]],
    [`started_from=2090-01-01`, []],
    ["assigned_from=2020-01-01", [second, first]],
    ["assigned_till=2020-01-01", []],
    ["finished_from=2020-01-01", []],
  ];
  for (const [filter, wanted] of expected) {
    for (const noun of ["run", "result"]) {
      const { body } = await hub().call(user, `GET /${noun}?task_id=${task.id}&${filter}`);
      assert.deepEqual(
        body.data.map((one: { id: number }) => one.id),
        wanted.map((one) => (one as { id: number }).id),
        `${noun} ${filter}`,
      );
    }
  }
  for (const bad of ["task_id=2000000000", "node_id=2000000000", "port=x"]) {
    assert.equal((await hub().call(user, `GET /run?${bad}`)).status, 400, bad);
  }
});

Deno.test("a list without paging is complete, a page tells of the next", async () => {
  const place = await hub().place(12);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const all = await hub().call(user, `GET /result?task_id=${task.id}`);
  assert.equal(all.body.data.length, 12);
  assert.equal("next" in all.body.links, false);
  const page = await hub().call(user, `GET /result?task_id=${task.id}&per_page=5&page=2`);
  assert.equal(page.body.data.length, 5);
  assert.equal(page.body.links.next, `/api/result?task_id=${task.id}&per_page=5&page=3`);
});

Deno.test("POST /task refuses in the contract's order", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const good = {
    image: "a",
    collaboration_id: place.collaboration,
    organizations: [{ id: place.members[0]!.organization, input: PLAIN_INPUT }],
  };
  const [foreign] = await hub().identityDb`
    insert into organization (name) values (${crypto.randomUUID()}) returning id`;
  const elsewhere = await hub().place(1);
  const outsider = await hub().user(elsewhere, 0, ["task:CREATE:GLOBAL"]);
  const viewer = await hub().user(place, 0, "Viewer");
  const [strangeStore] = await hub().collaborationDb`
    insert into algorithm_store (name, url, collaboration_id)
    values ('s', ${`https://${crypto.randomUUID()}.example`}, ${elsewhere.collaboration}) returning id`;
  const cases: [typeof user, Record<string, unknown>, number][] = [
    [user, { ...good, image: "" }, 400],
    [user, { ...good, organizations: [] }, 400],
    [user, { ...good, organizations: [...good.organizations, ...good.organizations] }, 400],
    [user, { ...good, organizations: [{ id: good.organizations[0]!.id }] }, 400],
    [
      user,
      { ...good, organizations: [{ id: good.organizations[0]!.id, input: "not base64!" }] },
      400,
    ],
    [user, { ...good, name: "123" }, 400],
    [user, { ...good, timeout_seconds: 0 }, 400],
    [user, { ...good, databases: [{ label: "a", secret: 1 }] }, 400],
    [user, { ...good, collaboration_id: 2000000000 }, 404],
    [user, { ...good, study_id: 2000000000 }, 404],
    [user, { ...good, organizations: [{ id: foreign!.id, input: PLAIN_INPUT }] }, 400],
    [user, { ...good, store_id: 2000000000 }, 400],
    [user, { ...good, store_id: strangeStore!.id }, 403],
    [outsider, good, 401],
    [viewer, good, 401],
  ];
  for (const [who, given, expected] of cases) {
    const { status, body } = await hub().call(who, "POST /task", given);
    assert.equal(status, expected, JSON.stringify([given, body]));
    assert.equal(typeof body.msg, "string");
  }
});

Deno.test("POST /task refuses an image and databases that no message could carry", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const task = (query: string) => ({
    image: "average",
    collaboration_id: place.collaboration,
    organizations: [{ id: place.members[0]!.organization, input: PLAIN_INPUT }],
    databases: [{ label: "default", query }],
  });
  const { status, body } = await hub().call(user, "POST /task", task("é".repeat(20_480)));
  assert.equal(status, 400);
  assert.match(body.msg, /may have 40960 bytes together/);
  assert.equal((await hub().call(user, "GET /task")).body.data.length, 0);
  assert.equal((await hub().call(user, "POST /task", task("é".repeat(20_400)))).status, 201);
});

Deno.test("DELETE /task takes the results and all descendants along and kills what runs", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const container = hub().container(place, 0, task);
  const child = await hub().post(container, place, { image: task.image });
  const grandchild = await hub().post(
    { ...container, task_id: child.id } as typeof container,
    place,
    { image: task.image },
  );
  const [run] = (await hub().call(user, `GET /run?task_id=${grandchild.id}`)).body.data;
  const node = reporterOf(hub(), place.members[0]!.node);
  await node.start(run.id);
  assert.equal((await hub().call(user, `DELETE /task/${task.id}`)).status, 200);
  for (const { id } of [task, child, grandchild]) {
    assert.equal((await hub().call(user, `GET /task/${id}`)).status, 404);
  }
  assert.equal((await hub().call(user, `GET /run/${run.id}`)).status, 404);
  assert.deepEqual(await node.finish(run.id), { ok: false, reason: "unknown" });
  assert.equal((await hub().call(user, `DELETE /task/${task.id}`)).status, 404);
});

Deno.test("POST /task with an Idempotency-Key does its work once", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const key = { "idempotency-key": crypto.randomUUID() };
  const given = {
    image: "a",
    collaboration_id: place.collaboration,
    organizations: [{ id: place.members[0]!.organization, input: PLAIN_INPUT }],
  };
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => hub().call(user, "POST /task", given, key)),
  );
  for (const { status, body } of answers) {
    assert.equal(status, 201);
    assert.deepEqual(body, answers[0]!.body);
  }
  assert.equal((await hub().call(user, "GET /task")).body.data.length, 1);

  const changed = await hub().call(user, "POST /task", { ...given, image: "b" }, key);
  assert.equal(changed.status, 409);
  assert.equal(changed.body.code, "idempotency_conflict");
  const other = await hub().user(place);
  const theirs = await hub().call(other, "POST /task", given, key);
  assert.notEqual(theirs.body.id, answers[0]!.body.id);
  assert.equal(
    (await hub().call(user, "POST /task", given, { "idempotency-key": "ä" })).status,
    400,
  );

  await hub().db`update idempotency set created_at = now() - interval '25 hours'`;
  const later = await hub().call(user, "POST /task", given, key);
  assert.notEqual(later.body.id, answers[0]!.body.id);
});

Deno.test("a refused POST /task does not use up its Idempotency-Key", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const key = { "idempotency-key": crypto.randomUUID() };
  const given = {
    image: "a",
    collaboration_id: place.collaboration,
    organizations: [{ id: place.members[0]!.organization, input: "broken!" }],
  };
  assert.equal((await hub().call(user, "POST /task", given, key)).status, 400);
  given.organizations[0]!.input = PLAIN_INPUT;
  assert.equal((await hub().call(user, "POST /task", given, key)).status, 201);
});

Deno.test("GET /task/{id}/status?wait= answers when the status changes, and after the time", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const [run] = (await hub().call(user, `GET /run?task_id=${task.id}`)).body.data;
  const began = performance.now();
  assert.equal(
    (await hub().call(user, `GET /task/${task.id}/status?wait=0.2`)).body.status,
    "pending",
  );
  assert.ok(performance.now() - began >= 195);
  const held = hub().call(user, `GET /task/${task.id}/status?wait=20`);
  await reporterOf(hub(), place.members[0]!.node).start(run.id);
  hub().deps.watch.wake(task.id);
  assert.equal((await held).body.status, "active");
  assert.equal((await hub().call(user, `GET /task/${task.id}/status?wait=61`)).status, 400);
});

Deno.test("GET /task/{id}/status?wait= does not call a task completed that was deleted meanwhile", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const held = hub().call(user, `GET /task/${task.id}/status?wait=20`);
  assert.equal((await hub().call(user, `DELETE /task/${task.id}`)).status, 200);
  hub().deps.watch.wake(task.id);
  assert.equal((await held).status, 404);
});

Deno.test("a list of what a node has to do does not count as the node having been seen", async () => {
  const place = await hub().place(1);
  const { node } = place.members[0]!;
  await hub().call(await hub().user(place), `GET /run?node_id=${node}`);
  const [row] = await hub().collaborationDb`select last_seen from node where id = ${node}`;
  assert.equal(row!.last_seen, null);
});

Deno.test("POST /column creates a task named get_column_names", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const { status, body } = await hub().call(user, "POST /column", {
    db_label: "default",
    sheet_name: "one",
    collaboration_id: place.collaboration,
    organizations: [{ id: place.members[0]!.organization, input: PLAIN_INPUT }],
  });
  assert.equal(status, 201);
  assert.equal(body.name, "get_column_names");
  assert.equal(body.image, "columns");
  assert.deepEqual(body.databases, [{ label: "default", parameters: '{"sheet_name":"one"}' }]);
});

Deno.test("run ids are never used twice, also under concurrency", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const tasks = await Promise.all(Array.from({ length: 10 }, () => hub().post(user, place)));
  assert.equal(new Set(tasks.map((task) => task.job_id)).size, 10);
});

Deno.test("total-count is the true number, whichever way it is found", async () => {
  const place = await hub().place(2);
  const other = await hub().place(1);
  const user = await hub().user(place);
  const root = await hub().user(other, 0, "Root");
  await hub().post(await hub().user(other), other);
  const tasks = [];
  for (let n = 0; n < 3; n++) tasks.push(await hub().post(user, place));
  async function agree(who: typeof user, expected?: [tasks: number, runs: number]) {
    for (const [index, noun] of ["task", "run", "result"].entries()) {
      for (const filter of ["", `&collaboration_id=${place.collaboration}`, "&sort=id"]) {
        const page = await hub().call(who, `GET /${noun}?per_page=1${filter}`);
        const all = await hub().call(who, `GET /${noun}?${filter.slice(1)}`);
        assert.equal(Number(page.headers.get("total-count")), all.body.data.length, noun + filter);
        if (expected) assert.equal(all.body.data.length, expected[Math.min(index, 1)]);
      }
    }
  }
  await agree(user, [3, 6]);
  await hub().call(user, `DELETE /task/${tasks[0].id}`);
  await agree(user, [2, 4]);
  await agree(root);
});

Deno.test("CVE-2026-54533: an algorithm reads no other algorithm's input, output or log", async () => {
  const place = await hub().place(2);
  const user = await hub().user(place);
  const own = await hub().post(user, place);
  const other = await hub().post(user, place, { name: "another's" });
  const container = hub().container(place, 0, own);
  const child = await hub().post(container, place, { image: own.image });
  const runsOf = async (id: number): Promise<{ id: number }[]> =>
    (await hub().call(user, `GET /run?task_id=${id}`)).body.data;
  const [ownRuns, childRuns, otherRuns] = await Promise.all(
    [own.id, child.id, other.id].map(runsOf),
  );
  const ids = (list: { id: number }[]) => list.map(({ id }) => id).sort((a, b) => a - b);

  for (const noun of ["run", "result"]) {
    const { body } = await hub().call(container, `GET /${noun}`);
    assert.deepEqual(ids(body.data), ids([...ownRuns!, ...childRuns!]), noun);
    assert.equal((await hub().call(container, `GET /${noun}/${childRuns![0]!.id}`)).status, 200);
    assert.equal((await hub().call(container, `GET /${noun}/${otherRuns![0]!.id}`)).status, 401);
    assert.equal((await hub().call(container, `GET /${noun}?task_id=${other.id}`)).status, 401);
  }
  const { body: tasks } = await hub().call(container, "GET /task?include=runs,results");
  assert.deepEqual(ids(tasks.data), ids([own, child]));
  for (const path of [`/task/${other.id}`, `/task/${other.id}?include=results`]) {
    assert.equal((await hub().call(container, `GET ${path}`)).status, 401, path);
  }
  assert.equal((await hub().call(container, `GET /task/${other.id}/status`)).status, 401);
});

Deno.test("GET /run and /result without paging come in batches, whole and in order", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const [{ id: first }] = (await hub().call(user, `GET /run?task_id=${task.id}`)).body.data;
  await hub().db`
    insert into result (task_id, task_collaboration_id, organization_id, node_id, status, input)
    select task_id, task_collaboration_id, 1000000 + number, node_id, status, input
    from result cross join generate_series(1, 450) as number where id = ${first}`;
  for (const noun of ["run", "result"]) {
    for (const sort of ["id", "-id"]) {
      const query = `task_id=${task.id}&sort=${sort}`;
      const all = await hub().call(user, `GET /${noun}?${query}`);
      assert.equal(all.headers.get("total-count"), "451");
      const paged = await hub().call(user, `GET /${noun}?${query}&page=1&per_page=500`);
      assert.deepEqual(all.body.data, paged.body.data, `${noun} ${sort}`);
      assert.equal(all.body.data.length, 451);
      assert.ok(all.body.links.first);
    }
  }
  const none = await hub().call(user, "GET /result?port=4321");
  assert.deepEqual(none.body.data, []);
});
