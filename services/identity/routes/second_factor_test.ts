/**
 * A second factor replaced by who is logged in, as they would do it and as a thief of their log-in,
 * or of their password, would try to.
 * @module
 */
import assert from "node:assert/strict";
import { codeOf, PASSWORD, startTestHub, useTestHub } from "../../../tests/support/hub.ts";

const hub = useTestHub({ twoFactor: true });
let serial = 0;

/** Somebody with a second factor, logged in twice. */
async function somebody() {
  const { call, now, advance } = hub();
  const username = `factor${++serial}`;
  const root = await hub().signIn({ type: "user", id: 1 });
  const { body: { id } } = await call("POST", "/user", {
    token: root,
    body: {
      username,
      password: PASSWORD,
      email: `${username}@x.example`,
      firstname: "F",
      lastname: "L",
      roles: [4],
    },
  });
  const logIn = (more: object = {}) =>
    call("POST", "/token/user", { body: { username, password: PASSWORD, ...more } });
  const { otp_secret: secret } = (await logIn()).body;
  const code = (of = secret as string) => codeOf(of, now());
  const token = (await logIn({ mfa_code: code() })).body.access_token as string;
  const elsewhere = await hub().signIn({ type: "user", id });
  // A code that was used is no proof again from another address.
  advance(30);
  return {
    id: id as number,
    username,
    token,
    elsewhere,
    code,
    logIn,
    offer: (body: object, as = token) =>
      call("POST", "/password/2fa", {
        token: as,
        body: { current_password: PASSWORD, mfa_code: code(), ...body },
      }),
    confirm: (body: object, as = token) => call("PATCH", "/password/2fa", { token: as, body }),
    lives: async (as: string) => (await call("GET", "/session", { token: as })).status === 200,
  };
}

Deno.test("/password/2fa gives a new second factor, in force once a code of it came back; other log-ins end", async () => {
  const { token, elsewhere, code, logIn, offer, confirm, lives } = await somebody();
  const state = await hub().call("GET", "/password/2fa", { token });
  assert.deepEqual(state.body, { required: true, is_set: true });
  const offered = await offer({});
  assert.equal(offered.status, 200, offered.body.msg);
  const { otp_secret: fresh, qr_uri, ticket } = offered.body;
  assert.ok(qr_uri.includes(`secret=${fresh}`));
  assert.ok(!ticket.includes(fresh), "the ticket is sealed");
  // Until then nothing has changed.
  assert.equal((await logIn({ mfa_code: code(fresh) })).status, 401);
  const wrong = await confirm({ ticket, mfa_code: code() });
  assert.equal(wrong.status, 400);
  assert.ok(wrong.body.errors.mfa_code);
  assert.equal((await confirm({ ticket, mfa_code: code(fresh) })).status, 200);
  assert.equal(await lives(token), true);
  assert.equal(await lives(elsewhere), false);
  assert.equal((await logIn({ mfa_code: code() })).status, 401);
  assert.equal((await confirm({ ticket, mfa_code: code(fresh) })).status, 400, "it is good once");
  hub().advance(30);
  assert.equal((await logIn({ mfa_code: code(fresh) })).status, 200);
});

Deno.test("/password/2fa offers nothing for a wrong password, a wrong code or none, and counts towards the lock", async () => {
  const { id, token, offer, logIn, code, lives } = await somebody();
  assert.equal((await offer({ mfa_code: undefined })).status, 400);
  const failures = async () =>
    (await hub().db.identity`select failed_login_attempts as n from "user" where id = ${id}`)[0]!.n;
  assert.equal(await failures(), 0);
  assert.equal((await offer({ current_password: "Wrong-password-1" })).status, 401);
  assert.equal(await failures(), 1);
  assert.equal((await offer({ mfa_code: "000000" })).status, 401);
  assert.equal(await failures(), 2);
  for (let n = 0; n < 3; n++) await offer({ current_password: "Wrong-password-1" });
  const locked = await offer({});
  assert.equal(locked.status, 401);
  assert.match(locked.body.msg, /locked/);
  hub().advance(30);
  assert.equal((await logIn({ mfa_code: code() })).status, 401, "the log-in is locked, too");
  assert.equal(await lives(token), true);
});

Deno.test("/password/2fa: a ticket is good for one log-in of one user, for ten minutes, and until the password changes", async () => {
  const { call, advance } = hub();
  const one = await somebody();
  const other = await somebody();
  const { ticket, otp_secret } = (await one.offer({})).body;
  const confirmed = () => ({ ticket, mfa_code: one.code(otp_secret) });
  assert.equal((await other.confirm(confirmed())).status, 400);
  assert.equal((await one.confirm(confirmed(), one.elsewhere)).status, 400);
  assert.equal(
    (await one.confirm({ ...confirmed(), ticket: `${ticket.slice(0, -4)}AAAA` })).status,
    400,
  );
  assert.equal((await call("PATCH", "/password/2fa", { body: confirmed() })).status, 401);
  advance(601);
  assert.equal((await one.confirm(confirmed())).status, 400);

  const again = (await one.offer({})).body;
  const change = { current_password: PASSWORD, new_password: "Another-password-2" };
  assert.equal(
    (await call("PATCH", "/password/change", { token: one.token, body: change })).status,
    200,
  );
  const late = await one.confirm({ ticket: again.ticket, mfa_code: one.code(again.otp_secret) });
  assert.equal(late.status, 400);
});

Deno.test("/password/2fa says of a hub without second factors that it asks for none", async () => {
  const without = await startTestHub();
  const state = await without.call("GET", "/password/2fa", { token: without.root });
  assert.deepEqual(state.body, { required: false, is_set: false });
  const body = { current_password: "whatever" };
  const { status, body: { msg } } = await without.call("POST", "/password/2fa", {
    token: without.root,
    body,
  });
  await without.stop();
  assert.equal(status, 400);
  assert.match(msg, /asks nobody/);
});
