/**
 * What the hub answers to input that it cannot accept: the contract's status, JSON with a useful
 * sentence, and nothing stored.
 * @module
 */
import { FILES } from "../services/stack/names.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { openSigningKey } from "../services/identity/secrets/stored.ts";
import { openVault } from "../services/identity/secrets/vault.ts";
import { createApiClient } from "./support/api.ts";
import { openDatabase } from "../shared/storage/db.ts";
import { silentLogger } from "../shared/service/log.ts";
import { type SigningKey, signToken } from "../shared/contract/tokens.ts";
import { useTestStack } from "./harness.ts";
import { createSite, encodeInput, type Json, type Site } from "./site.ts";

const stack = useTestStack();
let site: Site;
Deno.test.beforeAll(async () => {
  site = await createSite(stack(), { data: ["x\n1\n", "x\n2\n"] });
});

interface Case {
  name: string;
  method?: string;
  path: string;
  body?: unknown;
  /** Sent as it is instead of `body`. */
  raw?: string;
  token?: string;
  status: number;
  says: RegExp;
}

function task(change: Record<string, unknown>) {
  return {
    name: "t",
    image: "deno:average@1.0.0",
    collaboration_id: site.collaborationId,
    organizations: [{ id: site.members[0]!.id, input: encodeInput({ method: "central" }) }],
    ...change,
  };
}

async function send(given: Case): Promise<{ status: number; body: Json }> {
  const researcher = site.researcher;
  const client = given.token === undefined
    ? researcher
    : createApiClient(stack().gatewayUrl, { token: given.token });
  if (given.raw === undefined) {
    const response = await client.request(given.method ?? "POST", given.path, given.body);
    return { status: response.status, body: await response.json() };
  }
  const { access_token } = await createApiClient(stack().gatewayUrl).post(
    "/token/user",
    site.login,
  );
  const response = await fetch(`${stack().gatewayUrl}/api${given.path}`, {
    method: "POST",
    body: given.raw,
    headers: { "content-type": "application/json", authorization: `Bearer ${access_token}` },
  });
  return { status: response.status, body: await response.json() };
}

const CASES: (() => Case)[] = [
  () => ({
    name: "no image",
    path: "/task",
    body: task({ image: undefined }),
    status: 400,
    says: /image: is missing/,
  }),
  () => ({
    name: "image of a wrong type",
    path: "/task",
    body: task({ image: 5 }),
    status: 400,
    says: /image/,
  }),
  () => ({
    name: "no organizations",
    path: "/task",
    body: task({ organizations: [] }),
    status: 400,
    says: /organizations/,
  }),
  () => ({
    name: "an organization twice",
    path: "/task",
    body: task({ organizations: [1, 2].map(() => ({ id: site.members[0]!.id, input: "e30=" })) }),
    status: 400,
    says: /once/,
  }),
  () => ({
    name: "input that is not base64",
    path: "/task",
    body: task({ organizations: [{ id: site.members[0]!.id, input: "{}" }] }),
    status: 400,
    says: /base64/,
  }),
  () => ({
    name: "input that is missing",
    path: "/task",
    body: task({ organizations: [{ id: site.members[0]!.id }] }),
    status: 400,
    says: /input/,
  }),
  () => ({
    name: "an organization that does not exist",
    path: "/task",
    body: task({ organizations: [{ id: 999_999, input: "e30=" }] }),
    status: 400,
    says: /999999 is not in collaboration/,
  }),
  () => ({
    name: "an unknown collaboration",
    path: "/task",
    body: task({ collaboration_id: 999_999 }),
    status: 404,
    says: /999999/,
  }),
  () => ({
    name: "a purely numeric name",
    path: "/task",
    body: task({ name: "123" }),
    status: 400,
    says: /name/,
  }),
  () => ({
    name: "an unknown key of a database",
    path: "/task",
    body: task({ databases: [{ label: "default", password: "x" }] }),
    status: 400,
    says: /databases/,
  }),
  () => ({
    name: "a body that is not JSON",
    path: "/task",
    raw: "{nope",
    status: 400,
    says: /JSON/i,
  }),
  () => ({ name: "a body that is a list", path: "/task", raw: "[]", status: 400, says: /object/i }),
  () => ({
    name: "a body with NUL",
    path: "/task",
    body: task({ name: "a\0b" }),
    status: 400,
    says: /NUL/,
  }),
  () => ({
    name: "an id that is no number",
    method: "GET",
    path: "/task/abc",
    status: 404,
    says: /id/,
  }),
  () => ({
    name: "an id beyond all ids",
    method: "GET",
    path: "/task/99999999999",
    status: 404,
    says: /id/,
  }),
  () => ({
    name: "a task that does not exist",
    method: "GET",
    path: "/task/999999",
    status: 404,
    says: /999999/,
  }),
  () => ({ name: "page zero", method: "GET", path: "/task?page=0", status: 400, says: /page/ }),
  () => ({
    name: "a sort by no column",
    method: "GET",
    path: "/task?sort=password",
    status: 400,
    says: /sort/,
  }),
  () => ({
    name: "a route that does not exist",
    method: "GET",
    path: "/nothing",
    status: 404,
    says: /nothing/,
  }),
  () => ({ name: "no token", method: "GET", path: "/task", token: "", status: 401, says: /token/ }),
  () => ({
    name: "a malformed token",
    method: "GET",
    path: "/task",
    token: "abc",
    status: 422,
    says: /malformed/,
  }),
  () => ({
    name: "a role not held",
    path: "/organization",
    body: { name: "Mine" },
    status: 401,
    says: /permission/,
  }),
  () => ({
    name: "a wrong password",
    path: "/token/user",
    body: { username: "admin", password: "no" },
    status: 401,
    says: /wrong/,
  }),
  () => ({
    name: "an API key that is none",
    path: "/token/node",
    body: { api_key: "x" },
    status: 400,
    says: /UUID/,
  }),
  () => ({
    name: "an API key that nobody has",
    path: "/token/node",
    body: { api_key: crypto.randomUUID() },
    status: 401,
    says: /API key/,
  }),
];

Deno.test("bad input gets the contract's status and a useful sentence, and stores nothing", async (t) => {
  const before = (await site.admin.get("/task?per_page=1")).data[0]?.id;
  for (const make of CASES) {
    const given = make();
    await t.step(given.name, async () => {
      const { status, body } = await send(given);
      assert.equal(status, given.status, JSON.stringify(body));
      assert.equal(typeof body.msg, "string");
      assert.match(body.msg, given.says);
      assert.equal(typeof body.request_id, "string");
    });
  }
  assert.equal((await site.admin.get("/task?per_page=1")).data[0]?.id, before);
});

Deno.test("a user of another collaboration cannot post to this one, nor see what is in it", async () => {
  const other = await createSite(stack(), { data: ["x\n1\n"] });
  const posted = await other.researcher.request("POST", "/task", task({}));
  assert.equal(posted.status, 401);
  await posted.body?.cancel();
  const mine = await site.researcher.post("/task", task({}));
  for (const path of [`/task/${mine.id}`, `/task/${mine.id}/status`, `/run?task_id=${mine.id}`]) {
    const response = await other.researcher.request("GET", path);
    assert.equal(response.status, 401, path);
    await response.body?.cancel();
  }
  assert.equal((await other.researcher.get("/task")).data.length, 0);
  assert.equal((await other.researcher.get("/result")).data.length, 0);
});

Deno.test("an expired token is refused with 401, and a refresh token is no access token", async () => {
  const db = openDatabase(stack().adminDatabaseUrl(), {
    schema: "identity",
    log: silentLogger,
    max: 1,
  });
  const [row] = await db<(Omit<SigningKey, "private_jwk"> & { private_jwk: string })[]>`
    select kid, private_jwk, public_jwk from signing_key`;
  await db.end();
  const file = join(stack().folder, "services", "identity", FILES.secretsKey);
  const vault = openVault(await Deno.readTextFile(file));
  const private_jwk = openSigningKey(vault, row!.kid, row!.private_jwk);
  const expired = await signToken({ ...row!, private_jwk }, {
    jti: "1",
    type: "access",
    client_type: "user",
    sub: 1,
    sid: crypto.randomUUID(),
    lifetimeSeconds: 60,
  }, new Date(Date.now() - 61_000));
  const { refresh_token } = await createApiClient(stack().gatewayUrl).post(
    "/token/user",
    site.login,
  );
  for (const [token, status] of [[expired, 401], [refresh_token, 422]] as const) {
    const response = await site.admin.as(token).request("GET", "/user/1");
    assert.equal(response.status, status);
    assert.equal(typeof (await response.json()).msg, "string");
  }
});

Deno.test("plain input is refused in an encrypted collaboration (GHSA-rjmv-52mp-gjrr)", async () => {
  const [member] = site.members;
  const encrypted = await site.admin.post("/collaboration", {
    name: "Encrypted",
    encrypted: true,
    organization_ids: [member!.id],
  });
  await site.admin.post("/node", { organization_id: member!.id, collaboration_id: encrypted.id });
  const response = await site.researcher.request(
    "POST",
    "/task",
    task({ collaboration_id: encrypted.id }),
  );
  assert.equal(response.status, 400);
  assert.match((await response.json()).msg, /must be encrypted/);
  assert.deepEqual((await site.admin.get(`/task?collaboration_id=${encrypted.id}`)).data, []);
});

Deno.test("a parent that a user claims for a task is not believed (GHSA-vc3v-ppc7-v486)", async () => {
  const parent = await site.researcher.post("/task", task({}));
  const posted = await site.researcher.post("/task", task({ parent_id: parent.id, job_id: 1 }));
  assert.equal(posted.parent, null);
  assert.notEqual(posted.job_id, parent.job_id);
});

Deno.test("a body that does not say that it is JSON is refused, not taken for none", async () => {
  for (const type of ["application/x-www-form-urlencoded", "text/plain", "application/jsonx"]) {
    const response = await fetch(`${stack().gatewayUrl}/api/token/user`, {
      method: "POST",
      body: JSON.stringify(site.login),
      headers: { "content-type": type },
    });
    assert.equal(response.status, 400);
    assert.match((await response.json()).msg, /send the header Content-Type: application\/json/);
  }
});

Deno.test("an address that nobody answers says where they are listed", async () => {
  for (const path of ["/nothing", "/api", "/api/nothing", "/api/task/1/nothing"]) {
    const token = path.startsWith("/api/") ? site.researcher : undefined;
    const response = token
      ? await token.request("GET", path.slice("/api".length))
      : await fetch(stack().gatewayUrl + path);
    assert.equal(response.status, 404);
    assert.equal(
      (await response.json()).msg,
      `There is no GET ${path} here; /api/docs shows what there is.`,
    );
  }
});

Deno.test("a body that is too large is refused", async () => {
  const response = await site.researcher.request(
    "POST",
    "/task",
    task({ description: "x".repeat(65 * 2 ** 20) }),
  );
  assert.equal(response.status, 413);
  assert.match((await response.json()).msg, /larger than/);
});

Deno.test("every answer carries a request id and security headers, and the preflight is answered", async () => {
  const response = await site.researcher.request("GET", "/version", undefined, {
    "x-request-id": "my-request-1",
  });
  assert.equal(response.headers.get("x-request-id"), "my-request-1");
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.match((await response.json()).version, /^4\.15\./);
  const preflight = await fetch(`${stack().gatewayUrl}/api/task`, {
    method: "OPTIONS",
    headers: { origin: "https://ui.example", "access-control-request-method": "POST" },
  });
  assert.equal(preflight.ok, true);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  await preflight.body?.cancel();
});
