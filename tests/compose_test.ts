import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import { connect } from "node:tls";
import { stringify } from "yaml";
import { waitFor } from "./harness.ts";
import { decodeResult, encodeInput, type Json } from "./site.ts";
import { type ComposeEngine, missing, startComposeEngine } from "./support/compose_engine.ts";

const DOMAIN = "hub.localhost";
const SERVICES = ["identity", "collaboration", "task", "gateway"];
const PARTS = ["postgres", "nats", ...SERVICES, "shell", "front"];

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** Asks the front by its name and through its TLS, whatever this machine makes of the name. */
function askFront(
  ca: string,
  { method, path, headers, body }: {
    method: string;
    path: string;
    headers?: Record<string, string>;
    body?: unknown;
  },
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request({
    host: "127.0.0.1",
    port: 443,
    servername: DOMAIN,
    path,
    method,
    ca,
    agent: false,
    headers: { host: DOMAIN, "content-type": "application/json", ...headers },
  }, (answer) => {
    let text = "";
    answer.on("data", (piece) => text += piece);
    answer.on("end", () => resolve({ status: answer.statusCode!, headers: answer.headers, text }));
  });
  sent.on("error", reject);
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

/** The page of people, and its log-in, whose cookie goes through TLS alone. */
async function assertPage(ca: string, password: string): Promise<void> {
  const page = await askFront(ca, { method: "GET", path: "/" });
  assert.equal(page.status, 200, page.text);
  const [script] = /assets\/page-[^"]+/.exec(page.text)!;
  assert.equal((await askFront(ca, { method: "GET", path: `/${script}` })).status, 200);
  const { headers } = await askFront(ca, {
    method: "POST",
    path: "/session/log-in",
    headers: { "x-sextant-page": "yes" },
    body: { username: "admin", password },
  });
  assert.match(headers["set-cookie"]![0]!, /; HttpOnly; Secure; SameSite=Strict/);
}

function createCaller(ca: string) {
  let token: string | undefined;
  async function call(
    method: string,
    path: string,
    body?: unknown,
    more: Record<string, string> = {},
  ): Promise<{ status: number; json: Json }> {
    const headers = token === undefined ? more : { ...more, authorization: `Bearer ${token}` };
    const { status, text } = await askFront(ca, { method, path: `/api${path}`, headers, body });
    return { status, json: JSON.parse(text) };
  }
  async function ask(method: string, path: string, body?: unknown): Promise<Json> {
    const { status, json } = await call(method, path, body);
    assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(json)}`);
    return json;
  }
  return {
    call,
    ask,
    async isHealthy() {
      return (await call("GET", "/health")).status === 200;
    },
    async logIn(password: string) {
      token = undefined;
      token = (await ask("POST", "/token/user", { username: "admin", password })).access_token;
    },
  };
}
type Caller = ReturnType<typeof createCaller>;

async function computeMean(api: Caller): Promise<number> {
  return (await resultOf(api, await insist(api, MEAN))).average;
}

/** Posts a task until it is acknowledged, under one key. */
async function insist(api: Caller, task: Json): Promise<Json> {
  const headers = { "idempotency-key": crypto.randomUUID() };
  return await waitFor(async () => {
    const { status, json } = await api.call("POST", "/task", task, headers);
    assert.ok(status < 300 || status >= 500, `${status} ${JSON.stringify(json)}`);
    return status === 201 && json;
  }, { what: "the task to be taken", timeout: 90_000 });
}

const MEAN = taskOf("deno:average@1.0.0", { method: "central", kwargs: { column: "age" } });

function taskOf(image: string, input: Json): Json {
  return {
    name: "a task",
    image,
    collaboration_id: 1,
    organizations: [{ id: 1, input: encodeInput(input) }],
    databases: [{ label: "default" }],
  };
}

const OPEN_OR_DONE = /^(pending|initializing|active|completed)$/;

async function resultOf(api: Caller, task: Json): Promise<Json> {
  const { data: [result] } = await waitFor(async () => {
    const answer = await api.call("GET", `/task/${task.id}/status?wait=5`);
    const { status } = answer.json;
    assert.ok(answer.status >= 500 || OPEN_OR_DONE.test(status), `${status}`);
    return status === "completed" && await api.ask("GET", `/result?task_id=${task.id}`);
  }, { what: "the task to be completed", timeout: 90_000 });
  return decodeResult(result.result);
}

/**
 * A data station's folder, and a container of its own for the agent, which knows the hub by its
 * name alone.
 */
async function startSite(
  { compose, podman, folder, project }: ComposeEngine,
  { apiKey, ca }: { apiKey: string; ca: string },
): Promise<void> {
  const site = `${folder}/site`;
  await Deno.writeTextFile(`${site}/patients.csv`, "age\n20\n40\n63\n");
  await Deno.writeTextFile(`${site}/ca.pem`, ca);
  await Deno.mkdir(`${site}/algorithms`, { recursive: true });
  const slow = new URL("./algorithms/slow@1.0.0.ts", import.meta.url);
  await Deno.copyFile(slow, `${site}/algorithms/slow@1.0.0.ts`);
  await Deno.writeTextFile(
    `${site}/node.yaml`,
    stringify({
      api_key: apiKey,
      server_url: `https://${DOMAIN}`,
      port: 443,
      ca: "ca.pem",
      databases: [{ label: "default", uri: "patients.csv", type: "csv" }],
      algorithm_folders: ["algorithms", "/sextant/services/node/algorithms"],
      policies: { allowed_algorithms: ["deno:average", "deno:slow"] },
    }),
  );
  await compose("--profile", "site", "up", "--no-start", "node");
  const gateway = await podman(
    ...["network", "inspect", "sextest_site", "--format", "{{range .Subnets}}{{.Gateway}}{{end}}"],
  );
  const override = {
    version: "3.8",
    services: { node: { extra_hosts: [`${DOMAIN}:${gateway.trim()}`] } },
  };
  await Deno.writeTextFile(`${project}/site.yaml`, stringify(override));
  await compose("-f", `${project}/site.yaml`, "--profile", "site", "up", "-d", "node");
}

let engine: ComposeEngine;
let ca: string;
let password: string;
/** How many the first test leaves to the second. */
let tasks = 0;

Deno.test.beforeAll(async () => {
  if (missing === undefined) engine = await startComposeEngine({ SEXTANT_DOMAIN: DOMAIN });
});
Deno.test.afterAll(() => engine?.stop());

Deno.test(
  "compose.yaml: up, log-in through TLS, a node from outside, a task, two replicas, restarts, shell, backup, restore, down",
  {
    ignore: missing !== undefined,
  },
  async () => {
    const { compose, podman } = engine;
    await compose("up", "-d");
    ca = await waitFor(
      async () =>
        await Deno.readTextFile(
          `${await engine.volume("front-data")}/caddy/pki/authorities/local/root.crt`,
        ),
      { what: "the front's certificate" },
    );
    const api = createCaller(ca);
    const healthy = (after: string) =>
      waitFor(api.isHealthy, { what: `the hub to be ready ${after}`, timeout: 90_000 });
    await healthy("at first");
    const said = await compose("logs", "--no-color", "identity");
    password = /password "(\S+)"\. Change it/.exec(said)![1]!;
    await api.logIn(password);
    await assertPage(ca, password);
    await api.ask("POST", "/collaboration", {
      name: "Heart",
      encrypted: false,
      organization_ids: [1],
    });
    const { api_key } = await api.ask("POST", "/node", {
      organization_id: 1,
      collaboration_id: 1,
    });
    await startSite(engine, { apiKey: api_key, ca });
    assert.equal(await computeMean(api), 41);

    await aboutRights(engine);
    await aboutLimits(engine);
    await compose("up", "-d", "--no-recreate", "--scale", "task=2");
    assert.equal(
      (await podman("ps", "-q", "--filter", "name=sextest_task")).trim().split("\n").length,
      2,
    );
    for (const part of PARTS) {
      await compose("restart", "--timeout", "20", part);
      await healthy(`after the restart of ${part}`);
    }
    assert.equal(await computeMean(api), 41);
    const count = await compose(
      "exec",
      "-T",
      "shell",
      "deno",
      "task",
      "shell",
      "--json",
      "--eval",
      "await db.Task.count()",
    );
    assert.equal(Number(count.trim()), 4);

    const backups = `${engine.folder}:/backups`;
    await compose("run", "--rm", "-v", backups, "operator", "backup", "--to", "/backups/hub.tar");
    await computeMean(api);
    await compose("down");
    const restore = ["restore", "--from", "/backups/hub.tar", "--replace"];
    await compose("run", "--rm", "-v", backups, "operator", ...restore);
    await compose("up", "-d");
    await healthy("after the restore");
    await api.logIn(password);
    assert.equal((await api.ask("GET", "/task")).data.length, 4);
    await compose("-f", `${engine.project}/site.yaml`, "--profile", "site", "up", "-d", "node");
    assert.equal(await computeMean(api), 41);
    tasks = (await api.ask("GET", "/task")).data.length;
    await compose("--profile", "site", "down");
    assert.equal((await podman("ps", "-aq")).trim(), "");
  },
);

/**
 * Nobody is root who need not be, knows the database's administrator, or reaches it without need.
 */
async function aboutRights({ podman, volume }: ComposeEngine): Promise<void> {
  const superuser = await Deno.readTextFile(`${await volume("superuser")}/password`);
  assert.match(superuser, /^[0-9a-f]{48}$/);
  const running = (await podman("ps", "-q")).trim().split("\n");
  const about = await podman("inspect", ...running);
  assert.ok(
    !about.includes(superuser),
    "the administrator's password is in a container's settings",
  );
  const exec = (service: string, ...command: string[]) =>
    podman("exec", `sextest_${service}_1`, ...command);
  await Promise.all([...SERVICES, "nats", "shell"].map(async (service) => {
    assert.equal((await exec(service, "id", "-u")).trim(), "10001", service);
  }));
  const finds = (service: string, other: string) => exec(service, "getent", "hosts", other);
  await finds("identity", "postgres");
  await Promise.all(["front", "gateway", "nats"].map(async (service) => {
    await assert.rejects(finds(service, "postgres"), service);
  }));
  await assert.rejects(finds("front", "identity"));
}

/** No part may take all memory, and the front gives up whose headers do not come. */
async function aboutLimits({ podman }: ComposeEngine): Promise<void> {
  const running = (await podman("ps", "-q")).trim().split("\n");
  const format = "{{.Name}} may take {{.HostConfig.Memory}} bytes";
  const limits = (await podman("inspect", "--format", format, ...running)).trim().split("\n");
  assert.ok(limits.length >= PARTS.length);
  for (const limit of limits) assert.match(limit, / [1-9]\d+ bytes$/);

  const held = connect({ host: "127.0.0.1", port: 443, servername: DOMAIN, ca });
  let isClosed = false;
  held.on("close", () => isClosed = true);
  held.on("error", () => {}); // as it may be told
  held.write(`GET /api/version HTTP/1.1\r\nHost: ${DOMAIN}\r\n`);
  await waitFor(() => isClosed, { what: "the front to close the connection", timeout: 30_000 });
}

/** What one of Patroni's servers says it is: `primary`, `synchronous`, … */
async function isA({ podman }: ComposeEngine, what: string, member: string): Promise<boolean> {
  const url = `http://127.0.0.1:8008/${what}`;
  return await podman("exec", `sextest_${member}_1`, "wget", "-q", "-O", "-", url).then(
    () => true,
    () => false,
  );
}

async function whichIsA(engine: ComposeEngine, what: string): Promise<string> {
  return await waitFor(async () => {
    for (const member of MEMBERS) if (await isA(engine, what, member)) return member;
    return undefined;
  }, { what: `a database server to be ${what}`, timeout: 90_000 });
}

const MEMBERS = ["postgres", "postgres-2"];

Deno.test(
  'compose.yaml, profile "cluster": takes over the hub; primary, broker and gateway are killed, and a task ends all the same; down',
  {
    ignore: missing !== undefined,
  },
  async () => {
    const { compose, podman, project } = engine;
    const settings = await Deno.readTextFile(`${project}/services/stack/cluster/compose.env`);
    await Deno.writeTextFile(`${project}/.env`, settings);
    await compose("up", "-d");
    const api = createCaller(ca);
    const healthy = (after: string) =>
      waitFor(api.isHealthy, { what: `the hub to be ready ${after}`, timeout: 90_000 });
    await healthy("as a cluster");
    await api.logIn(password);
    assert.ok(tasks > 0);
    assert.equal((await api.ask("GET", "/task")).data.length, tasks, "those of the single hub");
    const config = await compose("config", "--services");
    for (const name of ["nats-3", ...SERVICES.map((service) => `${service}-2`), "etcd"]) {
      assert.ok(config.split("\n").includes(name), name);
    }
    await compose("-f", `${project}/site.yaml`, "up", "-d", "--no-recreate", "node");
    assert.equal(await computeMean(api), 41);

    await whichIsA(engine, "synchronous");
    const list = await podman(
      "exec",
      "sextest_postgres_1",
      "patronictl",
      "-c",
      "/tmp/patroni",
      "list",
    );
    assert.match(list, /Sync Standby \| (running|streaming)/);
    const primary = await whichIsA(engine, "primary");
    const wait = { method: "wait", kwargs: { ms: 5000 } };
    const task = await insist(api, taskOf("deno:slow@1.0.0", wait));
    await podman(
      "stop",
      "--time",
      "0",
      ...[primary, "nats", "gateway"].map((part) => `sextest_${part}_1`),
    );
    assert.deepEqual(await resultOf(api, task), { waited: 5000 });
    assert.notEqual(await whichIsA(engine, "primary"), primary);
    assert.equal(await computeMean(api), 41);
    await compose("up", "-d", "--no-recreate");
    await whichIsA(engine, "synchronous");
    await compose("--profile", "site", "--profile", "cluster", "down");
    assert.equal((await podman("ps", "-aq")).trim(), "");
  },
);
