/**
 * What the owner of a data station decides, and can look at: rules, the audit log, the status, the
 * check.
 * @module
 */
import assert from "node:assert/strict";
import { useTestStack, waitFor } from "./harness.ts";
import { writeParquet } from "./support/parquet.ts";
import { parse } from "yaml";
import { createApiClient } from "./support/api.ts";
import { createSite, encodeInput, type Json, type Member } from "./site.ts";
import { startAlgorithmStore, storeTokenIn } from "./support/algorithm_store.ts";

const stack = useTestStack();
const AVERAGE = "deno:average@1.0.0";

async function command(...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "services/node/main.ts", ...args],
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("a rule that refuses reaches the researcher by name, for subtasks too", async () => {
  const site = await createSite(stack(), {
    data: ["x,name\n1,a\n", "x,name\n3,b\n"],
    node: (index) =>
      index === 0 ? { policies: { allowed_algorithms: ["deno:average"] } } : {
        policies: {
          minimum_organizations: 2,
          algorithms: [{
            name: "deno:average",
            methods: { partial: { arguments: { column: ["x"] } } },
          }],
        },
      },
  });
  const [first, second] = site.members as [Member, Member];
  for (const member of site.members) await site.startNode(member);

  const good = await site.post({ image: AVERAGE, method: "central", kwargs: { column: "x" } });
  const { status, results } = await site.outcome(good.id);
  assert.equal(status, "completed");
  assert.equal(results[0].average, 2);

  const elsewhere = await site.post({ image: "deno:slow@1.0.0", method: "wait" });
  const refused = await site.outcome(elsewhere.id);
  assert.equal(refused.runs[0].status, "not allowed");
  assert.match(refused.runs[0].log, /deno:slow@1\.0\.0: it is not in policies\.allowed_algorithms/);

  const direct = await site.post({
    image: AVERAGE,
    method: "partial",
    kwargs: { column: "x" },
    members: [second],
  });
  const alone = await site.outcome(direct.id);
  assert.equal(alone.runs[0].status, "not allowed");
  assert.match(alone.runs[0].log, /minimum_organizations of 2/);

  const bad = await site.post({ image: AVERAGE, method: "central", kwargs: { column: "name" } });
  await site.outcome(bad.id);
  const [subtask] = (await site.researcher.get(`/task?parent_id=${bad.id}`)).data;
  const shares = (await site.researcher.get(`/run?task_id=${subtask.id}`)).data;
  const share = shares.find((run: { organization: { id: number } }) =>
    run.organization.id === second.id
  );
  assert.equal(share.status, "not allowed");
  assert.match(share.log, /value of the argument "column"/);

  const checked = await command("audit", "verify", "--config", first.config);
  assert.equal(checked.code, 0, checked.text);
  const folder = first.config.replace(/\.yaml$/, "-data");
  const log = await Deno.readTextFile(`${folder}/audit.log`);
  for (
    const event of ["agent started", "task received", "allowed", "refused", "run started"]
      .concat("run ended", "report leaves", "subtask input leaves")
  ) assert.ok(log.includes(`"event":"${event}"`), event);
  assert.ok(!log.includes("column"), "no content");
  await Deno.writeTextFile(`${folder}/audit.log`, log.replace('"allowed"', '"refused"'));
  const tampered = await command("audit", "verify", "--config", first.config);
  assert.equal(tampered.code, 1);
  assert.match(tampered.text, /line \d+ was changed/);
});

Deno.test("users by name and algorithm stores are judged at every node, for subtasks too", async () => {
  const site = await createSite(stack(), { data: ["x\n1\n", "x\n3\n"] });
  const [first, second] = site.members as [Member, Member];
  const store = startAlgorithmStore();
  const policies = [
    `{ allowed_users: ${site.login.username}, allowed_algorithm_stores: ${store.url} }`,
    "{ allowed_users: [somebody-else, 999999] }",
  ];
  for (const [index, member] of site.members.entries()) {
    await Deno.writeTextFile(member.config, `policies: ${policies[index]}\n`, { append: true });
    await site.startNode(member);
  }
  const server_url = `${stack().gatewayUrl}/api`;
  const link = await site.admin.post("/algorithmstore", {
    name: "Community",
    algorithm_store_url: store.url,
    server_url,
    collaboration_id: site.collaborationId,
    force: true,
  });

  const stray = await site.post({ image: AVERAGE, method: "central", kwargs: { column: "x" } });
  const refused = await site.outcome(stray.id);
  assert.equal(refused.runs[0].status, "not allowed");
  assert.match(refused.runs[0].log, /comes from no algorithm store/);

  store.approved.set(AVERAGE, null);
  const task = await site.researcher.post("/task", {
    name: "from a store",
    image: AVERAGE,
    collaboration_id: site.collaborationId,
    organizations: [{
      id: first.id,
      input: encodeInput({ method: "central", kwargs: { column: "x" } }),
    }],
    databases: [{ label: "default" }],
    store_id: link.id,
    server_url,
  });
  await site.outcome(task.id);
  // The node asked as well, with a token for this store, of which the store asked the hub.
  const askers = store.askedBy.map((one) => storeTokenIn(one));
  const node = askers.find(({ client_type }) => client_type === "node");
  assert.equal(node?.type, "store");
  assert.equal(node?.aud, store.url);
  const { text } = await command("check", "--config", first.config);
  assert.match(text, /^ok +algorithm store +.* tells this node what it has approved$/m, text);
  const [subtask] = (await site.researcher.get(`/task?parent_id=${task.id}`)).data;
  assert.equal(subtask.algorithm_store.id, link.id);
  const runs: Json[] = (await site.researcher.get(`/run?task_id=${subtask.id}`)).data;
  const at = ({ id }: Member) => runs.find(({ organization }) => organization.id === id)!;
  // It may have been given up when its sibling was refused.
  assert.notEqual(at(first).status, "not allowed", at(first).log);
  assert.equal(at(second).status, "not allowed");
  assert.ok(at(second).log.includes(`("${site.login.username}") is not in policies.allowed_users`));
  await store.stop();
});

Deno.test("status and check tell the owner how the node is", async () => {
  const site = await createSite(stack(), { data: ["x\n1\n"] });
  const { config } = site.members[0]!;
  const before = await command("status", "--config", config);
  assert.equal(before.code, 1);
  assert.match(before.text, /does not run/);
  await site.startNode(site.members[0]!);
  const after = await waitFor(async () => {
    const shown = await command("status", "--config", config);
    return shown.code === 0 ? shown : undefined;
  }, { what: "the status to be good", timeout: 20_000 });
  assert.match(after.text, /hub +connected/);
  assert.match(after.text, /0 under way, 0 waiting, 0 to be reported/);

  const well = await command("check", "--config", config);
  const ways = ["way out", "connection", "clock", "API key", "broker", "large payloads"];
  for (const name of [...ways, "encryption", "database default", "disk"]) {
    assert.match(well.text, new RegExp(`^ok +${name} `, "m"), well.text);
  }
  assert.equal(well.code, 0, well.text);
  const wrong = config.replace(/\.yaml$/, "-wrong.yaml");
  const text = await Deno.readTextFile(config);
  await Deno.writeTextFile(wrong, text.replace(/api_key: .*/, "api_key: none"));
  const ill = await command("check", "--config", wrong);
  assert.equal(ill.code, 1);
  assert.match(ill.text, /^FAIL +API key +.*administrator/m);

  const task = `${config}.json`;
  await Deno.writeTextFile(task, JSON.stringify({ image: "other/image:1", method: "x" }));
  const explained = await command("check", "--config", config, "--explain", task);
  assert.equal(explained.code, 1);
  assert.match(explained.text, /not allowed: .*container image/);
});

Deno.test("a node whose owner allows it tells the hub how it is, and the hub tells Prometheus", async () => {
  const site = await createSite(stack(), {
    data: ["x\n1\n", "x\n2\n"],
    node: (index) => index === 0 ? { prometheus: { enabled: true } } : {},
  });
  const [first, second] = site.members as [Member, Member];
  for (const member of site.members) await site.startNode(member);
  const path = `/node/${first.nodeId}/metrics`;
  const metrics = await waitFor(async () => {
    const answer = await site.researcher.request("GET", path);
    const body = await answer.json();
    return answer.status === 200 ? body : undefined;
  }, { what: "the first report" });
  assert.deepEqual(metrics.runs, { waiting: 0, under_way: 0, to_be_reported: 0 });
  assert.ok(metrics.age_seconds < 45);
  const silent = await site.researcher.request("GET", `/node/${second.nodeId}/metrics`);
  assert.equal(silent.status, 404);
  await silent.body?.cancel();
  const text = await (await site.admin.request("GET", "/metrics")).text();
  const labels = `node_id="${first.nodeId}",node="`;
  for (const name of ["online", "report_age_seconds", "disk_free_bytes"]) {
    assert.ok(text.includes(`sextant_node_${name}{${labels}`), `${name} in\n${text}`);
  }
  assert.equal((await site.researcher.request("GET", "/metrics")).status, 401);
});

Deno.test("a Parquet database serves the sandbox, others are refused clearly, columns are shared", async () => {
  const parquet = await Deno.makeTempFile({ dir: stack().folder, suffix: ".parquet" });
  await writeParquet(parquet, "select * from (values (1::double), (2), (6)) as t(x)");
  const site = await createSite(stack(), {
    data: ["x\n1\n"],
    node: () => ({
      databases: [
        { label: "default", uri: parquet, type: "parquet" },
        { label: "warehouse", uri: "mysql://nowhere.example/x", type: "sql" },
      ],
      share_columns: true,
    }),
  });
  const [member] = site.members as [Member];
  await site.startNode(member);
  const task = await site.post({ image: AVERAGE, method: "central", kwargs: { column: "x" } });
  const { status, results } = await site.outcome(task.id);
  assert.equal(status, "completed");
  assert.equal(results[0].average, 3);

  const other = await site.researcher.post("/task", {
    name: "sql",
    image: AVERAGE,
    collaboration_id: site.collaborationId,
    organizations: [{ id: member.id, input: encodeInput({ method: "partial" }) }],
    databases: [{ label: "warehouse" }],
  });
  const refused = await site.outcome(other.id);
  assert.equal(refused.runs[0].status, "start failed");
  assert.match(
    refused.runs[0].log,
    /"warehouse" cannot be used. It is of the type sql, which .* sandbox cannot read/,
  );

  const shared = await waitFor(async () => {
    const { config } = await site.admin.get(`/node/${member.nodeId}`);
    return config.length > 0 ? config : undefined;
  }, { what: "the node to share its configuration" });
  assert.ok(
    shared.some(({ key, value }: { key: string; value: string }) =>
      key === "columns_default" && value === "x"
    ),
  );
});

Deno.test("a task that filters rows computes on those rows alone, or not at all; names of columns stay at the site", async () => {
  // Lines end as Excel for Macintosh ends them.
  const site = await createSite(stack(), { data: ["age,Ann Smith\r50,1\r60,1\r70,1"] });
  const [member] = site.members as [Member];
  await site.startNode(member);
  async function average(asked: Record<string, unknown>, column = "age") {
    const { id } = await site.researcher.post("/task", {
      name: "filtered",
      image: AVERAGE,
      collaboration_id: site.collaborationId,
      organizations: [{
        id: member.id,
        input: encodeInput({ method: "central", kwargs: { column } }),
      }],
      databases: [{ label: "default", ...asked }],
    });
    return await site.outcome(id);
  }
  const all = await average({});
  assert.deepEqual([all.status, all.results[0].average], ["completed", 60]);
  const range = { column: "age", min_: 60, include_min: true };
  const preprocessing = [{ function: "filter_range", parameters: range }];
  const filtered = await average({ preprocessing });
  assert.deepEqual([filtered.status, filtered.results[0].average], ["completed", 65]);
  const refused = await average({ query: "select 1" });
  assert.match(refused.runs[0].log, /gives it a query, which a database of the type csv has not/);
  const unknown = await average({}, "agee");
  assert.notEqual(unknown.status, "completed");
  assert.ok(!JSON.stringify(unknown.runs).includes("Ann Smith"), "no name of a column leaves");
  const { config } = await site.admin.get(`/node/${member.nodeId}`);
  assert.ok(config.length > 0, "the rest is shared");
  assert.ok(!JSON.stringify(config).includes("Ann Smith"));
});

Deno.test("the node notes the seals of the hub's audit record in its own", async () => {
  const site = await createSite(stack(), { data: ["x\n1\n"] });
  const [member] = site.members as [Member];
  // It seals what has been recorded when it starts.
  await stack().part("identity").restart();
  const [seal] = await waitFor(async () => {
    const { data } = await site.admin.get("/audit/seals?service=identity");
    return data.length > 0 ? data : undefined;
  }, { what: "a seal", timeout: 20_000 });
  assert.ok(seal.records > 0);
  await site.startNode(member);
  const path = member.config.replace(/\.yaml$/, "-data/audit.log");
  const noted = await waitFor(async () => {
    const lines = (await Deno.readTextFile(path)).trim().split("\n");
    return lines.map((line) => JSON.parse(line)).find(({ event }) => event === "hub record noted");
  }, { what: "the node to note the seal", timeout: 20_000 });
  const which = `service=${noted.service}&after=${noted.number - 1}`;
  const [same] = (await site.admin.get(`/audit/seals?${which}`)).data;
  assert.deepEqual([noted.number, noted.sha256], [same.number, same.sha256]);

  // What a node has noted and the hub does not have is on record, once: the hub was restored from
  // a backup, or somebody rewrote its record.
  const { api_key } = parse(await Deno.readTextFile(member.config));
  const api = createApiClient(stack().gatewayUrl);
  const node = api.as((await api.post("/token/node", { api_key })).access_token);
  const sha256 = "0".repeat(64);
  for (let time = 0; time < 2; time++) await node.get(`/audit/seals?${which}&noted=${sha256}`);
  await site.researcher.get(`/audit/seals?${which}&noted=${sha256}`);
  const told = await site.admin.get(`/audit?what=audit.seal_unknown&object_id=${member.nodeId}`);
  assert.deepEqual(
    told.data.map((one: { data: unknown }) => one.data),
    [{ service: noted.service, number: noted.number, sha256 }],
  );
  const asked = await site.researcher.request("GET", "/audit/seals?after=x");
  assert.equal(asked.status, 400);
  await asked.body?.cancel();
});

Deno.test("two nodes keep the checkpoints of the hub's audit record, and hear from each other that they were shown one", async () => {
  const site = await createSite(stack(), { data: ["x\n1\n", "x\n2\n"] });
  const [one, other] = site.members as [Member, Member];
  await stack().part("identity").restart();
  await waitFor(async () => {
    const { data } = await site.admin.get("/audit/checkpoints");
    return data.length > 0;
  }, { what: "a checkpoint", timeout: 20_000 });
  const recordOf = async ({ config }: Member) =>
    JSON.parse(await Deno.readTextFile(config.replace(/\.yaml$/, "-data/status.json"))).record;
  for (const member of [one, other]) {
    await site.startNode(member);
    await waitFor(async () => (await recordOf(member))?.services.length > 0, {
      what: "the node to keep the checkpoint",
      timeout: 30_000,
    });
  }
  // The one that came second has heard of the first.
  const record = await waitFor(async () => {
    const found = await recordOf(other);
    return found.agreeing === 1 ? found : undefined;
  }, { what: "the nodes to compare", timeout: 30_000 });
  assert.deepEqual(record.alarms, []);
  const status = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "services/node/main.ts", "status", "--config", other.config],
  }).output();
  const text = new TextDecoder().decode(status.stdout);
  assert.match(text, /hub's record +identity: [1-9]\d* entries, sealed 20/);
  assert.match(text, /1 other nodes were shown the same/);
});
