import assert from "node:assert/strict";
import { recordRefusal } from "../../../shared/storage/audit.ts";
import { PASSWORD, useTestHub } from "../../../tests/support/hub.ts";

const hub = useTestHub();

async function newUser(username: string, roles: number[]) {
  const { call, root, login } = hub();
  const email = `${username}@x.example`;
  const person = { username, email, firstname: "F", lastname: "L" };
  const body = { ...person, password: PASSWORD, roles };
  const { id } = (await call("POST", "/user", { token: root, body })).body;
  return { id: id as number, token: await login(username) };
}

async function audit(query: string) {
  const { call, root } = hub();
  const { status, body } = await call("GET", `/audit?${query}`, { token: root });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

Deno.test("GET /audit tells who did what to which object, and in which request", async () => {
  const { call, root } = hub();
  const headers = { "x-request-id": "will-be-replaced-by-the-gateway" };
  const body = { name: "Audited" };
  const made = await call("POST", "/organization", { token: root, body, headers });
  const { data: [entry] } = await audit(`object=organization&object_id=${made.body.id}`);
  assert.deepEqual(entry, {
    service: "identity",
    id: entry.id,
    at: entry.at,
    request_id: made.headers.get("x-request-id"),
    who: { kind: "user", id: 1, organization_id: 1 },
    what: "organization.changed",
    object: { noun: "organization", id: made.body.id },
    outcome: "done",
    status: null,
    code: null,
    method: "POST",
    path: "/api/organization",
    data: { organization_id: made.body.id },
  });
  assert.match(entry.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

Deno.test("GET /audit shows refused attempts, of log-ins too, in every service", async () => {
  const { call } = hub();
  const { id, token } = await newUser("viewer1", [4]);
  await call("DELETE", "/organization/1", { token });
  await call("POST", "/collaboration", { token, body: {} });
  await call("POST", "/token/user", { body: { username: "viewer1", password: "guess" } });
  await call("GET", "/user/1");
  await hub().settled();
  const { data } = await audit(`outcome=refused&per_page=4`);
  const short = data.map((one: Record<string, unknown>) => [one.service, one.what, one.status]);
  assert.deepEqual(short, [
    ["identity", "GET /api/user/1", 401],
    ["identity", "POST /api/token/user", 401],
    ["collaboration", "POST /api/collaboration", 401],
    ["identity", "DELETE /api/organization/1", 401],
  ]);
  assert.deepEqual(data[1].object, { noun: "user", id });
  assert.deepEqual(data[3].who, { kind: "user", id, organization_id: 1 });
  const own = await audit(`who_kind=user&who_id=${id}`);
  assert.equal(own.data.length, 2);
});

Deno.test("no request makes a record so long that the newest thousand fit into no message", async () => {
  const { call, root, db } = hub();
  const method = "A".repeat(5000);
  const path = `/user/1/${encodeURIComponent("\u2028".repeat(300))}`;
  assert.equal((await call(method, path, { token: root })).status, 404);
  const refusal = { method, path, status: 401, code: "unauthenticated", request_id: "12345678" };
  await recordRefusal(db.identity, { ...refusal, address: "9".repeat(5000) });
  const rows = await db.identity<{ length: number }[]>`
    select octet_length(row_to_json(audit)::text) as length from audit order by id desc limit 2`;
  for (const { length } of rows) assert.ok(length < 1000, `${length} bytes`);
});

Deno.test("a flood of requests without a token is recorded by its beginning", async () => {
  const { call, db } = hub();
  const rows = async () => Number((await db.identity`select count(*) from audit`)[0]!.count);
  for (const [method, path] of [["GET", "/user"], ["POST", "/token/refresh"]] as const) {
    const before = await rows();
    for (let n = 0; n < 2400; n += 100) {
      await Promise.all(Array.from({ length: 100 }, () => call(method, path)));
    }
    const recorded = await rows() - before;
    // The first of them, also should they fall into two minutes.
    assert.ok(recorded <= 2000, `${recorded} records of 2400 ${method} ${path}`);
  }
});

Deno.test("a flood of refused requests of one user is recorded by its beginning, and what others do at once", async () => {
  const { call, db } = hub();
  const rows = async (who: number, outcome: string) => {
    const [row] = await db.identity<{ count: string }[]>`
      select count(*) from audit where who_id = ${who} and outcome = ${outcome}`;
    return Number(row!.count);
  };
  const flooder = await newUser("flooder", [4]);
  const other = await newUser("neighbour", [4]);
  for (let n = 0; n < 1000; n += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, m) => (
      call("DELETE", `/organization/${m % 2 === 0 ? 1 : 100_000 + n + m}`, { token: flooder.token })
    )));
  }
  const recorded = await rows(flooder.id, "refused");
  assert.ok(recorded >= 300 && recorded < 400, `${recorded} records of 1000 refusals`);
  await call("DELETE", "/organization/1", { token: other.token });
  assert.equal(await rows(other.id, "refused"), 1);
  // What they change themselves is recorded all the same.
  const before = await rows(flooder.id, "done");
  const body = { firstname: "Flo" };
  const changed = await call("PATCH", `/user/${flooder.id}`, { token: flooder.token, body });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  assert.ok(await rows(flooder.id, "done") > before);
});

Deno.test("a change that fails leaves no record of having been done", async () => {
  const { call, root } = hub();
  const before = (await audit("outcome=done")).data.length;
  const twice = { name: "root" };
  assert.equal((await call("POST", "/organization", { token: root, body: twice })).status, 400);
  assert.equal((await audit("outcome=done")).data.length, before);
});

Deno.test("the record holds no secret", async () => {
  const { call, db } = hub();
  const { token } = await newUser("viewer2", [4]);
  const secrets = [PASSWORD, "Changed-password-1", "a-reset-token-of-somebody"];
  await call("PATCH", "/password/change", {
    token,
    body: { current_password: PASSWORD, new_password: "Changed-password-1" },
  });
  await call("POST", "/recover/reset", {
    body: { reset_token: "a-reset-token-of-somebody", password: "Changed-password-1" },
  });
  // Typed into the wrong field, as people do.
  await call("POST", "/token/user", { body: { username: PASSWORD, password: "viewer2" } });
  const rows = JSON.stringify(await db.identity`select * from audit`);
  for (const secret of [...secrets, token]) assert.equal(rows.includes(secret), false);
});

Deno.test("GET /audit pages over all services, the newest first, and filters by time", async () => {
  const { call, root } = hub();
  for (let i = 0; i < 3; i++) {
    const body = { name: `c${i}`, organization_ids: [1], encrypted: false };
    await call("POST", "/collaboration", { token: root, body });
    await call("POST", "/organization", { token: root, body: { name: `o${i}` } });
  }
  const all = (await audit("")).data;
  const pages = [];
  for (let page = 1; page <= 4; page++) {
    pages.push(...(await audit(`page=${page}&per_page=3`)).data);
  }
  assert.deepEqual(pages, all.slice(0, 12));
  const sorted = all.map((one: { at: string }) => one.at).sort().reverse();
  assert.deepEqual(all.map((one: { at: string }) => one.at), sorted);
  assert.deepEqual((await audit(`till=${all[2].at}&service=${all[2].service}`)).data.slice(0, 1), [
    all.find((one: { at: string; service: string }) =>
      one.at <= all[2].at && one.service === all[2].service
    ),
  ]);
  assert.equal((await audit(`from=${all[0].at}`)).data.length >= 1, true);
  assert.equal((await call("GET", "/audit?page=11&per_page=100", { token: root })).status, 400);
  assert.equal((await call("GET", "/audit?outcome=maybe", { token: root })).status, 400);
});

Deno.test("records can be neither changed nor deleted", async () => {
  const { db } = hub();
  for (const service of ["identity", "collaboration", "task"] as const) {
    await assert.rejects(db[service]`delete from audit`, /final/);
    await assert.rejects(db[service]`update audit set who_id = 2`, /final/);
  }
});

Deno.test("GET /audit counts no further than anybody would page", async () => {
  const { call, root, db } = hub();
  await db.identity`
    insert into audit (request_id, what, outcome)
    select 'many', 'test.many', 'done' from generate_series(1, 10500)`;
  const { headers, body } = await call("GET", "/audit?request_id=many&per_page=2", { token: root });
  assert.equal(headers.get("total-count"), "10000");
  assert.equal(body.data.length, 2);
});
