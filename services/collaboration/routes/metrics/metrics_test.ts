import assert from "node:assert/strict";
import { waitFor } from "../../../../tests/harness.ts";
import { useTestHub } from "../../../../tests/support/hub.ts";
import { METRICS } from "../../../../tests/support/metrics.ts";

const hub = useTestHub();
let serial = 0;

async function make(path: string, body: unknown) {
  const answer = await hub().call("POST", path, { token: hub().root, body });
  assert.ok(answer.status <= 201, JSON.stringify(answer.body));
  return answer.body;
}

/** A node of a new organization, and its token. */
async function newNode(name = `Metrics ${++serial}`) {
  const organization_id = (await make("/organization", { name })).id;
  const place = { name, organization_ids: [organization_id], encrypted: false };
  const collaboration_id = (await make("/collaboration", place)).id;
  const { id, api_key } = await make("/node", { name, organization_id, collaboration_id });
  const login = await hub().call("POST", "/token/node", { body: { api_key } });
  return { id: id as number, token: login.body.access_token as string, name };
}

const report = (id: number, token: string, body: unknown = METRICS) =>
  hub().call("PUT", `/node/${id}/metrics`, { token, body });
const read = (id: number, token = hub().root) =>
  hub().call("GET", `/node/${id}/metrics`, { token });

Deno.test("a node's last report is shown, with its age", async () => {
  const { id, token } = await newNode();
  const none = await read(id);
  assert.equal(none.status, 404);
  assert.match(none.body.msg, /has reported no metrics/);
  assert.equal((await report(id, token)).status, 200);
  assert.equal((await report(id, token, { ...METRICS, cpus: 8, later: true })).status, 200);
  await hub().db.collaboration`
    update node_metrics set reported_at = now() - interval '1 minute' where node_id = ${id}`;
  const { status, body: { reported_at, age_seconds, ...metrics } } = await read(id, token);
  assert.equal(status, 200);
  assert.deepEqual(metrics, { ...METRICS, cpus: 8 });
  assert.ok(age_seconds >= 60 && age_seconds < 120, String(age_seconds));
  assert.match(reported_at, /^\d{4}-\d\d-\d\dT/);
  assert.equal((await read(999_999)).status, 404);
});

Deno.test("a node reports of itself alone, and nothing that cannot be", async () => {
  const [first, second] = [await newNode(), await newNode()];
  assert.equal((await report(second.id, first.token)).status, 401);
  assert.equal((await report(first.id, hub().root)).status, 401);
  assert.equal((await report(999_999, first.token)).status, 404);
  const wrong: object[] = [
    { cpus: -1 },
    { cpus: 1.5 },
    { cpus: "4" },
    { load: [1, 2] },
    { load: [1, 2, null] },
    { memory: { ...METRICS.memory, total_bytes: 1e300 } },
    { disk: {} },
    { runs: { ...METRICS.runs, waiting: -1 } },
    { version: 'x"\n' },
    { version: "" },
    { version: "x".repeat(65) },
    { uptime_seconds: undefined },
  ];
  for (const change of wrong) {
    const { status, body } = await report(first.id, first.token, { ...METRICS, ...change });
    assert.equal(status, 400, JSON.stringify(change));
    assert.match(body.msg, new RegExp(Object.keys(change)[0]!));
  }
  assert.equal((await report(first.id, first.token, [])).status, 400);
  assert.equal((await read(first.id)).status, 404);
  // Reports are no changes: they leave no trace in the record of those.
  await report(first.id, first.token);
  const records = await hub().db.collaboration`
    select from audit where path = ${`/api/node/${first.id}/metrics`} and status is null`;
  assert.equal(records.length, 0);
});

Deno.test("GET /metrics is what Prometheus collects, of all nodes", async () => {
  const name = 'Odd "clinic" \\ one';
  const [measured, silent] = [await newNode(name), await newNode()];
  await report(measured.id, measured.token);
  const { status, body, headers } = await hub().call("GET", "/metrics", { token: hub().root });
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const text: string = body;
  const odd = 'Odd \\"clinic\\" \\\\ one';
  const labels =
    `node_id="${measured.id}",node="${odd}",organization="${odd}",collaboration="${odd}"`;
  assert.ok(text.includes(`\nsextant_node_online{${labels}} 0\n`), text);
  assert.ok(text.includes(`\nsextant_node_runs{${labels},state="waiting"} 2\n`));
  assert.match(text, new RegExp(`^sextant_node_online\\{node_id="${silent.id}",`, "m"));
  assert.doesNotMatch(text, new RegExp(`^sextant_node_cpus\\{node_id="${silent.id}",`, "m"));
  await hub().call("DELETE", `/node/${measured.id}`, { token: hub().root });
  const later = await hub().call("GET", "/metrics", { token: hub().root });
  assert.ok(!later.body.includes(labels));
});

Deno.test("GET /metrics tells what the hub refused, unproven tokens among it", async () => {
  const tokens = () => refusedOf("unproven token");
  const before = await tokens();
  const forged = `${btoa('{"alg":"EdDSA","kid":"x"}').replace(/=/g, "")}.e30.e30`;
  for (let n = 0; n < 20; n++) {
    assert.equal((await hub().call("GET", "/node", { token: forged })).status, 422);
  }
  await waitFor(async () => await tokens() === before + 20, { what: "the count to be kept" });
});

async function refusedOf(kind: string): Promise<number> {
  const { body } = await hub().call("GET", "/metrics", { token: hub().root });
  const line = String(body).split("\n").find((one: string) =>
    one.startsWith(`sextant_hub_refused_total{kind="${kind}"} `)
  );
  return Number(line?.split(" ").at(-1) ?? 0);
}
