import assert from "node:assert/strict";
import { join } from "node:path";
import { freePort } from "../services/stack/ports.ts";
import { findProgram, startProcess } from "../services/stack/process.ts";
import { temporaryFolder, waitFor } from "./harness.ts";
import { useTestHub } from "./support/hub.ts";
import { METRICS_TOKEN } from "./support/services.ts";

const hub = useTestHub();
const FILES = new URL("../services/gateway/metrics/prometheus/", import.meta.url);
const [prometheus, promtool] = ["prometheus", "promtool"].map((name) => findProgram(name));
if (!prometheus || !promtool) {
  console.log("Prometheus is not installed (apt install prometheus): its tests are skipped.");
}

const metrics = (token = METRICS_TOKEN) => hub().call("GET", "/metrics", { token });

/** The value of a sample, by its name and labels as they are written. */
function valueOf(text: string, sample: string): number | undefined {
  const line = text.split("\n").find((one) => one.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
}

/** Waits for a sample: what is counted where an event is heard comes a moment later. */
async function waitForValue(sample: string, is: (value: number) => boolean): Promise<void> {
  await waitFor(async () => is(valueOf((await metrics()).body, sample) ?? NaN), {
    what: `${sample} to be as expected`,
  });
}

async function make(path: string, body: unknown) {
  const answer = await hub().call("POST", path, { token: hub().root, body });
  assert.ok(answer.status <= 201, JSON.stringify(answer.body));
  return answer.body;
}

let serial = 0;

/** A node that is not connected, and so leaves its work pending. */
async function newPlace() {
  const name = `Measured ${++serial}`;
  const organization_id = (await make("/organization", { name })).id as number;
  const place = { name, organization_ids: [1, organization_id], encrypted: false };
  const collaboration_id = (await make("/collaboration", place)).id as number;
  await make("/node", { name, organization_id, collaboration_id });
  return { name, organization_id, collaboration_id };
}

Deno.test("the metrics' own token shows the figures, and is good for nothing else", async () => {
  const { status, headers, body } = await metrics();
  assert.equal(status, 200, body);
  assert.equal(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  for (const service of ["identity", "collaboration", "task", "jetstream"]) {
    assert.equal(valueOf(body, `sextant_up{service="${service}"}`), 1, service);
  }
  for (const path of ["/node", "/task", "/user", "/health/../node", "/metrics/"]) {
    const other = await hub().call("GET", path, { token: METRICS_TOKEN });
    assert.ok([401, 404, 422].includes(other.status), `${path}: ${other.status}`);
  }
  const written = await hub().call("POST", "/metrics", { token: METRICS_TOKEN, body: {} });
  assert.ok([401, 404, 405, 422].includes(written.status), String(written.status));
});

Deno.test("nobody else sees the figures but who may view all nodes", async () => {
  assert.equal((await metrics(hub().root)).status, 200);
  assert.equal((await hub().call("GET", "/metrics")).status, 401);
  for (const token of [`${METRICS_TOKEN}x`, METRICS_TOKEN.slice(1), METRICS_TOKEN.toUpperCase()]) {
    assert.ok([401, 422].includes((await metrics(token)).status));
  }
  const { organization_id, name } = await newPlace();
  const rules = (await hub().call("GET", "/rule?per_page=200", { token: hub().root })).body.data;
  const own = rules.filter((rule: { name: string; operation: string; scope: string }) =>
    rule.name === "node" && rule.operation === "VIEW" && rule.scope !== "GLOBAL"
  ).map(({ id }: { id: number }) => id);
  assert.ok(own.length > 0);
  const username = `measured${serial}`;
  const password = "Secret-password-1";
  await make("/user", {
    username,
    password,
    email: `${username}@example.org`,
    firstname: name,
    lastname: name,
    organization_id,
    rules: own,
    roles: [],
  });
  assert.equal((await metrics(await hub().login(username, password))).status, 401);
});

Deno.test("requests are counted by noun, method and status, and their time is taken", async () => {
  const sample = 'sextant_http_requests_total{noun="study",method="GET",status="404"}';
  const before = valueOf((await metrics()).body, sample) ?? 0;
  for (let n = 0; n < 3; n++) {
    await hub().call("GET", "/study/999999", { token: hub().root });
  }
  // A path and a method of one's own make no new figures.
  await hub().call("GET", "/made-up-by-somebody", { token: hub().root });
  const { body } = await metrics();
  assert.equal(valueOf(body, sample), before + 3);
  assert.ok(valueOf(body, 'sextant_http_request_duration_seconds_count{noun="study"}')! >= 3);
  assert.ok(!body.includes("made-up"), body);
  assert.ok(valueOf(body, 'sextant_http_requests_total{noun="other",method="GET",status="404"}'));
});

Deno.test("the age of the queue and the results by status follow what happens", async () => {
  const { collaboration_id, organization_id } = await newPlace();
  const before = valueOf((await metrics()).body, 'sextant_results_open{status="pending"}') ?? 0;
  const { address } = hub();
  const uploaded = await fetch(`http://${address.hostname}:${address.port}/api/blobstream`, {
    method: "POST",
    headers: { authorization: `Bearer ${hub().root}` },
    body: btoa('{"method":"partial"}'),
  });
  const { uuid: input } = await uploaded.json();
  const { id } = await make("/task", {
    name: "measured",
    image: "deno:average@1.0.0",
    collaboration_id,
    organizations: [{ id: organization_id, input }],
  });
  await hub().db.task`
    update result set assigned_at = now() - interval '1 hour',
      dispatched_at = now() - interval '1 hour' where task_id = ${id}`;
  const { body } = await metrics();
  assert.equal(valueOf(body, 'sextant_results_open{status="pending"}'), before + 1);
  for (const name of ["pending", "unaccepted"]) {
    const age = valueOf(body, `sextant_results_oldest_${name}_seconds`)!;
    assert.ok(age >= 3600 && age < 3700, `${name}: ${age}`);
  }
  await hub().db.task`
    update result set accepted_at = dispatched_at + interval '7 seconds', dispatched_at = now(),
      assigned_at = now() where task_id = ${id}`;
  await hub().db.task`
    update result set accepted_at = now() + interval '7 seconds' where task_id = ${id}`;
  await waitForValue('sextant_dispatch_seconds{quantile="0.5"}', (value) => value > 6 && value < 9);
  assert.equal(
    (await hub().call("POST", "/kill/task", { token: hub().root, body: { id } })).status,
    200,
  );
  await waitForValue('sextant_result_status_total{status="killed by user"}', (value) => value >= 1);
  await waitForValue("sextant_results_oldest_unaccepted_seconds", (value) => value < 3600);
});

Deno.test("what waits in an outbox is told, with its age", async () => {
  const { db } = hub();
  const [row] = await db.collaboration<{ id: string }[]>`
    insert into outbox (subject, payload, created_at)
    values ('none', '', now() + interval '1 hour') returning id`;
  try {
    await waitForValue(
      'sextant_outbox_messages{service="collaboration"}',
      (value) => value >= 1,
    );
  } finally {
    await db.collaboration`delete from outbox where id = ${row!.id}`;
  }
});

Deno.test("the alert rules are right, and each fires by its cause", {
  ignore: !promtool,
}, async () => {
  const rules = await Deno.readTextFile(new URL("alerts.yaml", FILES));
  const tests = await Deno.readTextFile(new URL("alerts_test.yaml", FILES));
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);
  assert.ok(alerts.length > 0);
  for (const alert of alerts) assert.ok(tests.includes(`alertname: ${alert}\n`), alert);
  for (const args of [["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]]) {
    const { success, stdout, stderr } = await new Deno.Command(promtool!, { args, cwd: FILES })
      .output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.ok(success, said);
  }
});

Deno.test("Prometheus collects the figures, and all that rules and dashboard ask for is there", {
  ignore: !prometheus,
}, async () => {
  const folder = await temporaryFolder();
  const port = freePort();
  const { hostname, port: gatewayPort } = hub().address;
  const config = (await Deno.readTextFile(new URL("prometheus.yaml", FILES)))
    .replace("scheme: https", "scheme: http")
    .replace("scrape_interval: 30s", "scrape_interval: 200ms\n  scrape_timeout: 200ms")
    .replace("hub.example", `${hostname}:${gatewayPort}`);
  await Promise.all([
    Deno.writeTextFile(join(folder.path, "prometheus.yaml"), config),
    Deno.copyFile(new URL("alerts.yaml", FILES), join(folder.path, "alerts.yaml")),
    Deno.writeTextFile(join(folder.path, "metrics_token"), `${METRICS_TOKEN}\n`),
  ]);
  const server = startProcess({
    command: prometheus!,
    args: [
      `--config.file=${join(folder.path, "prometheus.yaml")}`,
      `--storage.tsdb.path=${join(folder.path, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    env: { PATH: Deno.env.get("PATH")! },
  });
  try {
    const ask = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
      return (await response.json()).data;
    };
    await waitFor(async () => {
      const found = await ask(`query?query=${encodeURIComponent('up{job="sextant"} == 1')}`)
        .catch(() => undefined);
      return found?.result.length === 1;
    }, { what: "Prometheus to have collected the figures", timeout: 30_000 });
    // Families that have no samples yet are there by their types.
    const known = new Set(Object.keys(await ask("metadata")));
    const asked = [
      ...await expressionsOf("dashboard.json", /"expr": ("(?:[^"\\]|\\.)*")/g),
      ...(await ask("rules")).groups.flatMap((group: { rules: { query: string }[] }) =>
        group.rules.map(({ query }) => query)
      ),
    ];
    assert.ok(asked.length >= 25, String(asked.length));
    for (const expression of asked) {
      const answer = await fetch(
        `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`,
      );
      assert.equal(answer.status, 200, `${expression}: ${await answer.text()}`);
      for (const [name] of expression.matchAll(/\b(?:sextant|process)_\w+/g)) {
        assert.ok(known.has(name.replace(/_bucket$/, "")), `${name}, which ${expression} asks for`);
      }
    }
  } finally {
    await server.stop();
    await folder.remove();
  }
});

async function expressionsOf(file: string, pattern: RegExp): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(file, FILES));
  return [...text.matchAll(pattern)].map(([, quoted]) => JSON.parse(quoted!));
}
