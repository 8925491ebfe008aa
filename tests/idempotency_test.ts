/**
 * Every route that creates something honours `Idempotency-Key`: a walk over all of them, through
 * the gateway.
 * @module
 */
import assert from "node:assert/strict";
import { insertUser } from "../services/identity/store/user.ts";
import { freePort } from "../services/stack/ports.ts";
import { forgetOldKeys } from "../shared/storage/idempotency.ts";
import { routesOf } from "../shared/contract/openapi.ts";
import { HUB_SERVICES, type HubService } from "../shared/broker/subjects.ts";
import { createWorld, type World } from "./authorization/world.ts";
import { PASSWORD } from "./support/hub.ts";

const store = Deno.serve(
  { port: freePort(), hostname: "127.0.0.1", onListen: () => {} },
  () => Response.json({}, { status: 201 }),
);
let world: World;
/** Another who may do everything. */
let otherRoot: string;
Deno.test.beforeAll(async () => {
  world = await createWorld();
  const { db, signIn } = world.hub;
  const person = { username: "other-root", email: "o@x.example", firstname: "O", lastname: "R" };
  const values = { ...person, password_hash: "", organization_id: world.organizations.own };
  const { id } = await insertUser(db.identity, values, { roles: [1], rules: [] });
  otherRoot = await signIn({ type: "user", id });
});
Deno.test.afterAll(async () => {
  await world?.hub.stop();
  await store.shutdown();
});

/** What creates; each gives the body of a new thing. */
const CREATES: Record<string, { service: HubService; table: string; body(): unknown }> = {
  "/organization": {
    service: "identity",
    table: "organization",
    body: () => ({ name: world.name() }),
  },
  "/user": {
    service: "identity",
    table: "user",
    body: () => ({
      username: world.name(),
      password: PASSWORD,
      email: `${world.name()}@x.example`,
      firstname: "F",
      lastname: "L",
      organization_id: world.organizations.own,
    }),
  },
  "/role": {
    service: "identity",
    table: "role",
    body: () => ({ name: world.name(), rules: [1], organization_id: world.organizations.own }),
  },
  "/collaboration": {
    service: "collaboration",
    table: "collaboration",
    body: () => ({
      name: world.name(),
      organization_ids: [world.organizations.own],
      encrypted: false,
    }),
  },
  "/study": {
    service: "collaboration",
    table: "study",
    body: () => ({
      name: world.name(),
      collaboration_id: world.collaborations.own,
      organization_ids: [world.organizations.same, world.organizations.own],
    }),
  },
  "/node": {
    service: "collaboration",
    table: "node",
    body: () => ({
      name: world.name(),
      organization_id: world.organizations.same,
      collaboration_id: world.collaborations.same,
    }),
  },
  "/algorithmstore": {
    service: "collaboration",
    table: "algorithm_store",
    body: () => ({
      name: world.name(),
      algorithm_store_url: `http://127.0.0.1:${store.addr.port}/${world.name()}`,
      server_url: "https://sextant.example/api",
      force: true,
    }),
  },
  "/task": { service: "task", table: "task", body: () => ({ image: "a", ...recipients() }) },
  "/column": {
    service: "task",
    table: "task",
    body: () => ({ db_label: world.name(), ...recipients() }),
  },
  "/port": {
    service: "task",
    table: "port",
    body: () => ({ port: 80, run_id: 1, label: world.name() }),
  },
};

/** What makes no new thing, or the same thing when it is done twice. */
const OTHERS = [
  "/token/user",
  "/token/user/validate",
  "/token/node/validate",
  "/token/store",
  "/token/node",
  "/token/refresh",
  "/token/container",
  "/token/broker",
  "/recover/lost",
  "/recover/reset",
  "/password/2fa",
  "/recover/2fa/lost",
  "/recover/2fa/reset",
  "/recover/node",
  "/role/:id/rule/:rule_id",
  "/collaboration/:id/organization",
  "/collaboration/:id/node",
  "/study/:id/organization",
  "/kill/task",
  "/kill/node/tasks",
  "/blobstream", // removed after a day when nothing was made of it
];

/**
 * A task for the caller's own organization. The input is the blob that {@linkcode prepare} puts
 * there.
 */
function recipients() {
  return {
    collaboration_id: world.collaborations.own,
    organizations: [{ id: world.organizations.own, input: blob }],
  };
}
let blob: string;

/** What routes of the task service need: a blob of the caller's, and run 1 of the world's node. */
async function prepare(): Promise<void> {
  const db = world.hub.db.task;
  const { own } = world.organizations;
  blob = crypto.randomUUID();
  const owner = `user:${world.callers.Root}`;
  await db`insert into blob ${db({ id: blob, owner, organization_id: own, size: 1, sha256: "" })}`;
  await db`insert into blob_chunk values (${blob}, 0, ${new Uint8Array([0x31])})`;
  const place = { collaboration_id: world.collaborations.own, init_org_id: own };
  const task = { id: 1, name: "", description: "", image: "a", job_id: 1, init_user_id: 1 };
  await db`insert into task ${db({ ...task, ...place })} on conflict do nothing`;
  await db`
    insert into result ${
    db({ id: 1, task_id: 1, organization_id: own, node_id: world.nodeId, input: "" })
  } on conflict do nothing`;
  for (const table of ["task", "result"]) {
    await db`select setval(pg_get_serial_sequence(${table}, 'id'), (select max(id) from ${
      db(table)
    }))`;
  }
}

function post(path: string, body: unknown, key: string, token = callerOf(path)) {
  return world.hub.call("POST", path, { token, body, headers: { "idempotency-key": key } });
}

function callerOf(path: string): string {
  return world.tokens[path === "/port" ? "a node" : "Root"]!;
}

Deno.test("every POST route takes an Idempotency-Key, or is known to need none", () => {
  const posts = HUB_SERVICES.flatMap((service) => routesOf(world.hub.apps[service]))
    .filter(({ method }) => method === "POST");
  const paths = (idempotent: boolean) =>
    posts.filter((one) => (one.idempotent ?? false) === idempotent)
      .map(({ path }) => path.replace(/^\/api/, "")).sort();
  assert.deepEqual(paths(true), Object.keys(CREATES).sort());
  assert.deepEqual(paths(false), OTHERS.toSorted());
});

for (const [path, { service, table, body }] of Object.entries(CREATES)) {
  Deno.test(`POST ${path} with an Idempotency-Key does its work once`, async () => {
    await prepare();
    const db = world.hub.db[service];
    const count = async () => (await db`select from ${db(table)}`).length;
    const before = await count();
    const given = body();
    const key = crypto.randomUUID();

    const answers = await Promise.all([1, 2, 3].map(() => post(path, given, key)));
    answers.push(await post(path, given, key));
    const [first] = answers;
    assert.ok(first!.status === 200 || first!.status === 201, JSON.stringify(first!.body));
    for (const { status, body, headers } of answers) {
      assert.equal(status, first!.status);
      assert.deepEqual(body, first!.body);
      assert.equal(headers.get("content-type"), first!.headers.get("content-type"));
    }
    assert.equal(await count(), before + 1);

    const other = await post(path, { ...given as object, ...change(path) }, key);
    assert.equal(other.status, 409, JSON.stringify(other.body));
    assert.equal(other.body.code, "idempotency_conflict");
    const theirs = await post(path, given, key, otherRoot);
    assert.notEqual(theirs.status, 409);
    assert.notDeepEqual(theirs.body.id, first!.body.id);
    for (const malformed of ["", "two words", "ä", "x".repeat(256)]) {
      assert.equal((await post(path, given, malformed)).status, 400);
    }

    await noSecretIn(service, [key, ...strings(given), ...strings(first!.body)]);
    await db`update idempotency set created_at = now() - interval '25 hours'`;
    const later = await post(path, given, key);
    assert.notDeepEqual(later.body.id, first!.body.id, "the key is still known after a day");
  });
}

/** What makes the body of a create another one. */
function change(path: string): object {
  if (path === "/port") return { port: 81 };
  return {
    [path === "/user" ? "password" : path === "/column" ? "db_label" : "name"]: "Other-things-1",
  };
}

/** All longer texts in a value: names, keys, passwords. */
function strings(value: unknown): string[] {
  if (typeof value === "string") return value.length >= 5 ? [value] : [];
  return typeof value === "object" && value ? Object.values(value).flatMap(strings) : [];
}

/** Nobody who reads the table sees any of these. */
async function noSecretIn(service: HubService, secrets: string[]): Promise<void> {
  assert.ok(secrets.length > 1);
  const db = world.hub.db[service];
  const rows = await db<{ caller: string; bytes: Uint8Array; text: string }[]>`
    select key_digest || request_mac || answer as bytes, idempotency::text as text
    from idempotency`;
  assert.ok(rows.length > 0);
  for (const { bytes, text } of rows) {
    const readable = new TextDecoder("latin1").decode(bytes) + text;
    for (const secret of secrets) assert.ok(!readable.includes(secret), secret);
  }
}

Deno.test("a refused create does not use up its Idempotency-Key", async () => {
  const key = crypto.randomUUID();
  const taken = { name: world.name() };
  assert.equal((await post("/organization", taken, crypto.randomUUID())).status, 201);
  assert.equal((await post("/organization", taken, key)).status, 400);
  assert.equal((await post("/organization", { name: world.name() }, key)).status, 201);
});

Deno.test("POST /node repeated gives the key that lets the node in", async () => {
  const organization_id = await world.newOrganization();
  const place = { name: world.name(), organization_ids: [organization_id], encrypted: false };
  const { body: collaboration } = await post("/collaboration", place, crypto.randomUUID());
  const given = { name: world.name(), organization_id, collaboration_id: collaboration.id };
  const key = crypto.randomUUID();
  await post("/node", given, key);
  const { api_key } = (await post("/node", given, key)).body;
  const { status } = await world.hub.call("POST", "/token/node", { body: { api_key } });
  assert.equal(status, 200);
});

Deno.test("keys are forgotten after a day", async () => {
  for (const service of HUB_SERVICES) {
    const db = world.hub.db[service];
    await db`delete from idempotency`;
    const row = { key_digest: new Uint8Array(32), request_mac: new Uint8Array(32) };
    await db`insert into idempotency ${db({ ...row, caller: "user:1" })}`;
    const created_at = new Date(Date.now() - 24 * 3600_000 - 5000);
    await db`insert into idempotency ${db({ ...row, caller: "user:2", created_at })}`;
    assert.equal(await forgetOldKeys(db), 1);
    assert.deepEqual((await db`select caller from idempotency`).map((one) => one.caller), [
      "user:1",
    ]);
  }
});

Deno.test("GET /api/openapi.json describes the Idempotency-Key of every create", async () => {
  const { body } = await world.hub.call("GET", "/openapi.json");
  for (const path of Object.keys(CREATES)) {
    const { parameters, responses } = body.paths[`/api${path}`].post;
    const header = parameters.find((one: { name: string }) => one.name === "Idempotency-Key");
    assert.equal(header?.in, "header", path);
    assert.ok(responses[409], path);
  }
});
