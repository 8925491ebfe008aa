/**
 * One's own log-ins: the list of them, and their end.
 */
import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import { PASSWORD, useTestHub } from "../../../tests/support/hub.ts";

const hub = useTestHub();
const VIEWER = 4;
let serial = 0;

async function newUser() {
  const { call, root } = hub();
  const username = `at-home${++serial}`;
  const { body } = await call("POST", "/user", {
    token: root,
    body: {
      username,
      password: PASSWORD,
      email: `${username}@x.example`,
      firstname: "F",
      lastname: "L",
      roles: [VIEWER],
    },
  });
  const logIn = async () => {
    const answer = await call("POST", "/token/user", { body: { username, password: PASSWORD } });
    const token: string = answer.body.access_token;
    return { token, session: decodeJwt(token).sid as string };
  };
  return { id: body.id as number, logIn };
}

Deno.test("sessions: a user sees those of their own, and which one asks", async () => {
  const { logIn } = await newUser();
  const [first, second] = [await logIn(), await logIn()];
  await (await newUser()).logIn();
  const { status, body } = await hub().call("GET", "/session", { token: second.token });
  assert.equal(status, 200);
  assert.deepEqual(
    body.data.map((one: { id: string; is_this: boolean }) => [one.id, one.is_this]).sort(),
    [[first.session, false], [second.session, true]].sort(),
  );
  for (const { begun_at, expires_at, networks } of body.data) {
    assert.match(begun_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/);
    assert.ok(expires_at > begun_at);
    assert.ok(Array.isArray(networks));
  }
});

Deno.test("sessions: one that is ended lets nobody in, and the others go on", async () => {
  const { logIn } = await newUser();
  const [here, there] = [await logIn(), await logIn()];
  const { status } = await hub().call("DELETE", `/session/${there.session}`, { token: here.token });
  assert.equal(status, 200);
  await hub().settled();
  assert.equal((await hub().call("GET", "/session", { token: there.token })).status, 401);
  const { body } = await hub().call("GET", "/session", { token: here.token });
  assert.deepEqual(body.data.map((one: { id: string }) => one.id), [here.session]);
});

Deno.test("sessions: all others end at once, the one that asks goes on", async () => {
  const { logIn } = await newUser();
  const [here, ...others] = [await logIn(), await logIn(), await logIn()];
  const stranger = await (await newUser()).logIn();
  assert.equal((await hub().call("DELETE", "/session", { token: here!.token })).status, 200);
  await hub().settled();
  for (const { token } of others) {
    assert.equal((await hub().call("GET", "/session", { token })).status, 401);
  }
  for (const { token } of [here!, stranger]) {
    assert.equal((await hub().call("GET", "/session", { token })).body.data.length, 1);
  }
});

Deno.test("sessions: those of others cannot be ended, and are as if they were not there", async () => {
  const stranger = await (await newUser()).logIn();
  const { token } = await (await newUser()).logIn();
  for (const id of [stranger.session, crypto.randomUUID(), "1", "' or true --"]) {
    const path = `/session/${encodeURIComponent(id)}`;
    for (const caller of [token, hub().root]) {
      const { status, body } = await hub().call("DELETE", path, { token: caller });
      assert.deepEqual([status, body.code], [404, "not_found"], id);
    }
  }
  assert.equal((await hub().call("GET", "/session", { token: stranger.token })).status, 200);
  const nobody = await hub().call("GET", "/session");
  assert.deepEqual([nobody.status, nobody.body.code], [401, "unauthenticated"]);
});
