/**
 * v6's security advisories that concern organizations, users and log-in (features §19), each as the
 * test that would have caught it. Those about time, lockout, recovery and keys stand beside what
 * they are about: see accounts_test.ts, login_time_test.ts and keys_test.ts.
 */
import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import { PASSWORD, useTestHub } from "../../../tests/support/hub.ts";

const hub = useTestHub();

async function newUser(username: string, more: Record<string, unknown> = {}) {
  const { call, root } = hub();
  const email = `${username}@x.example`;
  const body = { username, email, password: PASSWORD, firstname: "F", lastname: "L", ...more };
  const { body: made, status } = await call("POST", "/user", { token: root, body });
  assert.equal(status, 201, JSON.stringify(made));
  return made.id as number;
}

Deno.test("CVE-2023-23929: a refresh token expires", async () => {
  const { call } = hub();
  await newUser("expiring");
  const body = { username: "expiring", password: PASSWORD };
  const { exp, iat } = decodeJwt((await call("POST", "/token/user", { body })).body.refresh_token);
  assert.equal(exp! - iat!, 48 * 3600);
});

Deno.test("CVE-2022-39228: a locked account answers like a name that does not exist", async () => {
  const { call } = hub();
  await newUser("locked");
  const tryIn = (username: string, password: string) =>
    call("POST", "/token/user", { body: { username, password } });
  for (let i = 0; i < 5; i++) await tryIn("locked", "Wrong-password-1");
  const [locked, unknown] = [await tryIn("locked", PASSWORD), await tryIn("no-one", PASSWORD)];
  const plain = ({ status, body, headers }: typeof locked) => [
    status,
    { ...body, request_id: "" },
    [...headers.keys()].sort(),
  ];
  assert.deepEqual(plain(locked), plain(unknown));
});

Deno.test("CVE-2023-22738: a user cannot be moved to another organization", async () => {
  const { call, root } = hub();
  const other =
    (await call("POST", "/organization", { token: root, body: { name: "other" } })).body;
  const id = await newUser("settled");
  const moved = await call("PATCH", `/user/${id}`, {
    token: root,
    body: { organization_id: other.id },
  });
  assert.equal(moved.body.organization.id, 1);
});

Deno.test("CVE-2023-28635: an organization's name is never a number", async () => {
  const { call, root } = hub();
  for (const name of ["1", "42", 7]) {
    const { status } = await call("POST", "/organization", { token: root, body: { name } });
    assert.equal(status, 400, String(name));
  }
});

Deno.test("GHSA-5h3x-6gwf-73jm: recovery says the same of names that exist and that do not", async () => {
  const { call } = hub();
  await newUser("recovering");
  const ask = async (path: string, body: unknown) => {
    const began = performance.now();
    const { status, body: answer } = await call("POST", path, { body });
    return { status, msg: answer.msg, ms: performance.now() - began };
  };
  const lost = [];
  for (const username of ["recovering", "no-one"]) {
    lost.push(await ask("/recover/lost", { username }));
  }
  assert.deepEqual([lost[0]!.status, lost[0]!.msg], [lost[1]!.status, lost[1]!.msg]);
  // The mail, and all that is looked up for it, comes after the answer.
  assert.ok(lost.every(({ ms }) => ms < 1000));
  const factor = [];
  for (const username of ["recovering", "no-one"]) {
    factor.push(await ask("/recover/2fa/lost", { username, password: "Wrong-password-1" }));
  }
  assert.deepEqual([factor[0]!.status, factor[0]!.msg], [401, factor[1]!.msg]);
  assert.equal(factor[1]!.status, 401);
});

Deno.test("GHSA-j6g5-p62x-58hw: guessing the present password by changing it locks the account", async () => {
  const { call, login } = hub();
  await newUser("guessed");
  const token = await login("guessed");
  for (let i = 0; i < 5; i++) {
    const body = { current_password: `Wrong-password-${i}`, new_password: "Other-password-1" };
    assert.equal((await call("PATCH", "/password/change", { token, body })).status, 401);
  }
  const body = { current_password: PASSWORD, new_password: "Other-password-1" };
  assert.equal((await call("PATCH", "/password/change", { token, body })).status, 401);
});

Deno.test("GHSA-gwq3-pvwq-4c9w: answers carry the headers that browsers need to be strict", async () => {
  const { headers } = await hub().call("GET", "/version");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.equal(headers.get("x-frame-options"), "SAMEORIGIN");
  assert.match(headers.get("strict-transport-security")!, /max-age=\d{7,}/);
});

Deno.test("CVE-2023-23930: what is received is JSON, or it is refused", async () => {
  const { apps, root } = hub();
  const pickled = new Uint8Array([0x80, 0x04, 0x95, 0x0b]);
  const response = await apps.gateway.fetch(
    new Request("http://hub/api/organization", {
      method: "POST",
      headers: { authorization: `Bearer ${root}`, "content-type": "application/json" },
      body: pickled,
    }),
    {},
  );
  assert.equal(response.status, 400);
});

Deno.test("the secret of the second factor is in no answer about a user", async () => {
  const { call, root, db } = hub();
  const id = await newUser("secretive");
  await db.identity`update "user" set otp_secret = 'ABCDEFGH' where id = ${id}`;
  for (
    const path of [`/user/${id}`, "/user?username=secretive", `/user/${id}?include_permissions=1`]
  ) {
    const { body } = await call("GET", path, { token: root });
    assert.equal(JSON.stringify(body).includes("ABCDEFGH"), false, path);
  }
});
