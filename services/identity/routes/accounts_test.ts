import assert from "node:assert/strict";
import { hash as argon2Hash } from "@node-rs/argon2";
import { hash as bcryptHash } from "@node-rs/bcrypt";
import { decodeJwt } from "jose";
import {
  codeOf,
  PASSWORD,
  startTestHub,
  type TestHub,
  useTestHub,
} from "../../../tests/support/hub.ts";

const hub = useTestHub();
let serial = 0;

async function newUser({ call, root }: TestHub) {
  const username = `person${++serial}`;
  const email = `${username}@x.example`;
  const made = await call("POST", "/user", {
    token: root,
    body: { username, password: PASSWORD, email, firstname: "F", lastname: "L", roles: [4] },
  });
  assert.equal(made.status, 201);
  return { id: made.body.id as number, username, email };
}

function logIn({ call }: TestHub, username: string, password = PASSWORD, more = {}) {
  return call("POST", "/token/user", { body: { username, password, ...more } });
}

async function resetTokenFor(hub: TestHub, email: string): Promise<string> {
  const mail = (await hub.mails()).findLast((one) => one.to === email);
  return /^[\w-]{40,}$/m.exec(mail!.text)![0];
}

Deno.test("log-in answers the contract's fields, and the token in a header too", async () => {
  const { username, id } = await newUser(hub());
  const { status, body, headers } = await logIn(hub(), username);
  assert.equal(status, 200);
  const fields = ["access_token", "refresh_token", "refresh_url", "user_url"];
  assert.deepEqual(Object.keys(body).sort(), fields);
  assert.equal(body.user_url, `/api/user/${id}`);
  assert.equal(headers.get("jwt-token"), body.access_token);
  const claims = decodeJwt(body.access_token);
  assert.equal(claims.sub as unknown, id);
  assert.deepEqual(claims.roles, ["Viewer"]);
});

Deno.test("five failures lock an account, whatever the route, and say the same as an unknown name", async () => {
  const { call, login, advance, mails, db } = hub();
  const { username, email, id } = await newUser(hub());
  const token = await login(username);
  const unknown = await logIn(hub(), "nobody-at-all", "Wrong-password-1");
  const wrong = "Wrong-password-1";
  const change = { current_password: wrong, new_password: "Other-password-1" };
  const answers = [
    await logIn(hub(), username, wrong),
    await logIn(hub(), username, wrong),
    await call("PATCH", "/password/change", { token, body: change }),
    await call("POST", "/recover/2fa/lost", { body: { username, email: null, password: wrong } }),
    await call("POST", "/recover/2fa/lost", { body: { username: null, email, password: wrong } }),
    await logIn(hub(), username), // the right one, but the account is locked
  ];
  for (const { status, body } of [unknown, ...answers]) {
    assert.deepEqual([status, body.msg, body.code], [401, unknown.body.msg, unknown.body.code]);
  }
  const right = { current_password: PASSWORD, new_password: "Other-password-1" };
  assert.equal((await call("PATCH", "/password/change", { token, body: right })).status, 401);
  assert.equal((await mails()).filter((mail) => mail.to === email).length, 1, "one warning");
  const [row] = await db.identity`select failed_login_attempts from "user" where id = ${id}`;
  assert.equal(row!.failed_login_attempts, 5, "attempts while locked are not counted");
  advance(15 * 60 + 1);
  assert.equal((await logIn(hub(), username, wrong)).status, 401);
  assert.equal(
    (await logIn(hub(), username)).status,
    200,
    "the first failure after it is one of five",
  );
});

Deno.test("guesses made at once are all counted, and none slips past the lock", async () => {
  const { db } = hub();
  const { username, id } = await newUser(hub());
  const guesses = Array.from({ length: 20 }, () => logIn(hub(), username, "Wrong-password-1"));
  for (const { status } of await Promise.all(guesses)) assert.equal(status, 401);
  const [row] = await db.identity`select failed_login_attempts from "user" where id = ${id}`;
  assert.equal(row!.failed_login_attempts, 5);
  assert.equal((await logIn(hub(), username)).status, 401);
});

Deno.test("a success resets the count", async () => {
  const { username } = await newUser(hub());
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 4; i++) await logIn(hub(), username, "Wrong-password-1");
    assert.equal((await logIn(hub(), username)).status, 200);
  }
});

Deno.test("v6's bcrypt hashes verify and become argon2id at log-in", async () => {
  const { db } = hub();
  for (const kind of ["$2a$", "$2b$", "$2y$"]) {
    const { username, id } = await newUser(hub());
    const old = (await bcryptHash(PASSWORD, 4)).replace(/^\$2[aby]\$/, kind);
    await db.identity`update "user" set password_hash = ${old} where id = ${id}`;
    assert.equal((await logIn(hub(), username, "Wrong-password-1")).status, 401);
    assert.equal((await logIn(hub(), username)).status, 200, kind);
    const [row] = await db.identity`select password_hash from "user" where id = ${id}`;
    assert.match(row!.password_hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.equal((await logIn(hub(), username)).status, 200);
  }
});

Deno.test("a hash of weaker parameters than today's is replaced at log-in, and no dearer one is", async () => {
  const { db } = hub();
  const { username, id } = await newUser(hub());
  const store = async (memoryCost: number) => {
    const old = await argon2Hash(PASSWORD, { memoryCost, timeCost: 2, parallelism: 1 });
    await db.identity`update "user" set password_hash = ${old} where id = ${id}`;
    assert.equal((await logIn(hub(), username, "Wrong-password-1")).status, 401);
    assert.equal((await logIn(hub(), username)).status, 200);
    const [row] = await db.identity`select password_hash from "user" where id = ${id}`;
    return { old, now: row!.password_hash as string };
  };
  const weak = await store(4096);
  assert.match(weak.now, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  const dear = await store(32_768);
  assert.equal(dear.now, dear.old);
});

Deno.test("PATCH /password/change needs the old one, obeys the policy, ends other log-ins", async () => {
  const { call } = hub();
  const { username } = await newUser(hub());
  const { access_token: token, refresh_token } = (await logIn(hub(), username)).body;
  const elsewhere = (await logIn(hub(), username)).body;
  const rules = (token: string) => call("GET", "/rule", { token });
  assert.equal((await rules(elsewhere.access_token)).status, 200);
  const change = (current_password: string, new_password: string) =>
    call("PATCH", "/password/change", { token, body: { current_password, new_password } });
  assert.equal((await change(PASSWORD, PASSWORD)).status, 400);
  const weak = await change(PASSWORD, "weak");
  assert.equal(weak.status, 400);
  assert.equal(weak.body.errors.new_password.length, 4);
  assert.equal((await change(PASSWORD, "Another-password-2")).status, 200);
  assert.equal((await logIn(hub(), username)).status, 401);
  assert.equal((await logIn(hub(), username, "Another-password-2")).status, 200);
  assert.equal((await rules(elsewhere.access_token)).status, 401, "access tokens, too, at once");
  const { refresh_token: other } = elsewhere;
  assert.equal((await call("POST", "/token/refresh", { token: other })).status, 401);
  assert.equal((await rules(token)).status, 200);
  const own = await call("POST", "/token/refresh", { token: refresh_token });
  assert.equal(own.status, 200, "v6's client goes on with the log-in it has");
});

Deno.test("an e-mail address is one, however it is written: for recovery, and for who may have it", async () => {
  const { call, mails, root } = hub();
  const { email } = await newUser(hub());
  const other = email.toUpperCase();
  await call("POST", "/recover/lost", { body: { email: other } });
  assert.equal((await mails()).filter((mail) => mail.to === email).length, 1);
  const username = "same-address";
  const body = { username, password: PASSWORD, email: other, firstname: "F", lastname: "L" };
  const refused = await call("POST", "/user", { token: root, body });
  assert.equal(refused.status, 400);
  assert.match(refused.body.msg, /e-mail address exists already/);
  const { id } = await newUser(hub());
  const changed = await call("PATCH", `/user/${id}`, { token: root, body: { email: other } });
  assert.equal(changed.status, 400);
});

Deno.test("recovery: the same answer for everybody, one mail an hour, a token that works once", async () => {
  const { call, mails, db, advance } = hub();
  const { username, email, id } = await newUser(hub());
  const answers = [
    await call("POST", "/recover/lost", { body: { username } }),
    await call("POST", "/recover/lost", { body: { email, username: null } }),
    await call("POST", "/recover/lost", { body: { username: "nobody-at-all" } }),
  ];
  for (const { status, body } of answers) {
    assert.deepEqual([status, body], [200, answers[0]!.body]);
  }
  assert.equal((await call("POST", "/recover/lost", { body: {} })).status, 400);
  assert.equal((await mails()).filter((mail) => mail.to === email).length, 1);

  const reset_token = await resetTokenFor(hub(), email);
  const stored = await db.identity`select sha256 from reset_token where user_id = ${id}`;
  assert.notEqual(stored[0]!.sha256, reset_token);
  const reset = (password: string, token = reset_token) =>
    call("POST", "/recover/reset", { body: { reset_token: token, password } });
  assert.equal((await reset("weak")).status, 400, "which does not use the token up");
  assert.equal(
    (await call("POST", "/recover/2fa/reset", { body: { reset_token } })).status,
    400,
    "a password token is no second-factor token",
  );
  const { access_token } = (await logIn(hub(), username)).body;
  for (let i = 0; i < 5; i++) await logIn(hub(), username, "Wrong-password-1");
  assert.equal((await call("GET", "/rule", { token: access_token })).status, 200);
  assert.equal((await reset("Recovered-password-1")).status, 200);
  assert.equal((await call("GET", "/rule", { token: access_token })).status, 401, "at once");
  assert.equal((await logIn(hub(), username, "Recovered-password-1")).status, 200, "lock is gone");
  assert.equal((await reset("Recovered-password-2")).status, 400, "used");
  assert.equal((await reset("Recovered-password-2", "never-issued")).status, 400);

  advance(3601);
  await call("POST", "/recover/lost", { body: { username } });
  const second = await resetTokenFor(hub(), email);
  assert.notEqual(second, reset_token);
  advance(3601);
  assert.equal((await reset("Recovered-password-2", second)).status, 401, "expired");
});

Deno.test("a refresh token may be used again, by several processes and much later", async () => {
  const { call, advance } = hub();
  const { username } = await newUser(hub());
  const first = (await logIn(hub(), username)).body.refresh_token;
  const refresh = (token: string) => call("POST", "/token/refresh", { token });
  const second = await refresh(first);
  assert.equal(second.status, 200);
  assert.notEqual(second.body.refresh_token, first);
  assert.equal(second.body.user_url.startsWith("/api/user/"), true);
  const forked = await Promise.all(Array.from({ length: 8 }, () => refresh(first)));
  for (const one of forked) assert.equal(one.status, 200, "forked processes share it");
  advance(24 * 3600);
  const third = await refresh(second.body.refresh_token);
  assert.equal(third.status, 200);
  assert.equal((await refresh(first)).status, 200);
  // Each goes on for as long as it says; the session for as long as the last of them.
  advance(24 * 3600 + 1);
  assert.equal((await refresh(first)).status, 401);
  const { status, body } = await refresh(third.body.refresh_token);
  assert.equal(status, 200);
  assert.equal((await call("GET", "/rule", { token: body.access_token })).status, 200);
  advance(-48 * 3600 - 1);
});

Deno.test("a log-in that is used from another address goes on, and that is recorded", async () => {
  const { call, apps, root } = hub();
  const { username } = await newUser(hub());
  const { refresh_token } = (await logIn(hub(), username)).body;
  const from = (address: string) => {
    const headers = { authorization: `Bearer ${refresh_token}` };
    const request = new Request("http://hub/api/token/refresh", { method: "POST", headers });
    return Promise.resolve(apps.gateway.fetch(request, { address }));
  };
  for (const address of ["192.0.2.7", "127.0.0.1", "192.0.2.7", "2001:db8:1:2:3::4"]) {
    assert.equal((await from(address)).status, 200);
  }
  const { body } = await call("GET", "/audit?what=user.elsewhere", { token: root });
  const addresses = body.data.map((one: { data: unknown }) => one.data);
  assert.deepEqual(addresses, [{ address: "2001:db8:1:2" }, { address: "192.0.2.7" }]);
});

Deno.test("refresh tokens expire, are no access tokens, and can be revoked", async () => {
  const { call, advance } = hub();
  const { username } = await newUser(hub());
  const { access_token, refresh_token } = (await logIn(hub(), username)).body;
  const refresh = (token: string) => call("POST", "/token/refresh", { token });
  assert.equal((await refresh(access_token)).status, 422);
  assert.equal((await call("GET", "/user/1", { token: refresh_token })).status, 422);
  assert.equal((await call("POST", "/token/refresh")).status, 401);
  assert.equal((await call("GET", "/rule", { token: access_token })).status, 200);
  assert.equal((await call("DELETE", "/token/refresh", { token: refresh_token })).status, 200);
  assert.equal((await refresh(refresh_token)).status, 401);
  assert.equal((await call("GET", "/rule", { token: access_token })).status, 401, "at once");
  const { body: audit } = await call("GET", "/audit?what=user.logout", { token: hub().root });
  assert.equal(audit.data[0].path, "/api/token/refresh");
  const late = (await logIn(hub(), username)).body.refresh_token;
  advance(48 * 3600 + 1);
  assert.equal((await refresh(late)).status, 401, "CVE-2023-23929");
});

Deno.test("second factor: the contract's answers, a code a few times from one address, reset by mail", async () => {
  // A code is of 30 seconds: which of them a moment is in must not depend on how long a call takes.
  const two = await startTestHub({ twoFactor: true, clockStands: true });
  const { username, email } = await newUser(two);
  const first = await logIn(two, username);
  assert.equal(first.status, 200);
  assert.deepEqual(Object.keys(first.body).sort(), ["msg", "otp_secret", "qr_uri"]);
  const { otp_secret, qr_uri } = first.body;
  assert.match(otp_secret, /^[A-Z2-7]{32}$/);
  const issuer = encodeURIComponent("vantage6 (test)");
  assert.equal(
    qr_uri,
    `otpauth://totp/${issuer}:${username}?secret=${otp_secret}&issuer=${issuer}`,
  );
  const enrolled = await two.call("GET", "/audit?what=user.second_factor", { token: two.root });
  assert.equal(enrolled.body.data[0].method, "POST", "a secret that is set leaves a record");
  const missing = await logIn(two, username);
  assert.deepEqual([missing.status, Object.keys(missing.body)], [200, ["msg"]]);
  assert.equal((await logIn(two, username, PASSWORD, { mfa_code: "abcdef" })).status, 401);
  assert.equal((await logIn(two, username, PASSWORD, { mfa_code: 1.5 })).status, 400);
  assert.equal((await logIn(two, username, "Wrong-password-1")).status, 401);

  const codeAt = (seconds: number) =>
    codeOf(otp_secret, new Date(two.now().getTime() + seconds * 1000));
  const now = await logIn(two, username, PASSWORD, { mfa_code: Number(codeAt(0)) });
  assert.equal(now.status, 200, "as a number, with its leading zeros lost");
  assert.ok(now.body.access_token);
  const again = await Promise.all(
    Array.from({ length: 6 }, () => logIn(two, username, PASSWORD, { mfa_code: codeAt(0) })),
  );
  const refused = again.filter(({ status }) => status !== 200);
  assert.deepEqual(refused.map(({ status }) => status), [401, 401], "five times in all");
  assert.match(refused[0]!.body.msg, /Wait for the next one/);
  const fromElsewhere = async (mfa_code: string) => {
    const body = JSON.stringify({ username, password: PASSWORD, mfa_code });
    const headers = { "content-type": "application/json" };
    const request = new Request("http://hub/api/token/user", { method: "POST", headers, body });
    return (await two.apps.gateway.fetch(request, { address: "192.0.2.9" })).status;
  };
  const other = codeAt(-30);
  assert.equal((await logIn(two, username, PASSWORD, { mfa_code: other })).status, 200);
  assert.equal(await fromElsewhere(other), 401, "seen by somebody else");
  assert.equal((await logIn(two, username, PASSWORD, { mfa_code: other })).status, 200);
  assert.equal(await fromElsewhere(codeAt(30)), 200);
  assert.equal((await logIn(two, username, PASSWORD, { mfa_code: codeAt(-90) })).status, 401);
  const shown = await two.call("GET", "/user?username=root", { token: two.root });
  assert.equal(shown.body.data[0].otp_secret, null);

  const lost = await two.call("POST", "/recover/2fa/lost", {
    body: { username, email: null, password: PASSWORD },
  });
  assert.equal(lost.status, 200);
  const reset_token = await resetTokenFor(two, email);
  const wrongUse = { reset_token, password: "Recovered-password-1" };
  assert.equal((await two.call("POST", "/recover/reset", { body: wrongUse })).status, 400);
  const reset = await two.call("POST", "/recover/2fa/reset", { body: { reset_token } });
  assert.deepEqual([reset.status, Object.keys(reset.body).sort()], [
    200,
    ["msg", "otp_secret", "qr_uri"],
  ]);
  assert.equal(
    (await two.call("POST", "/recover/2fa/reset", { body: { reset_token } })).status,
    400,
  );
  assert.equal((await logIn(two, username, PASSWORD, { mfa_code: codeAt(30) })).status, 401, "old");
  const fresh = codeOf(reset.body.otp_secret, two.now());
  assert.equal((await logIn(two, username, PASSWORD, { mfa_code: fresh })).status, 200);
  await two.stop();
});

Deno.test("wrong codes lock the account like wrong passwords", async () => {
  const two = await startTestHub({ twoFactor: true });
  const { username } = await newUser(two);
  const { otp_secret } = (await logIn(two, username)).body;
  for (let i = 0; i < 5; i++) {
    assert.equal((await logIn(two, username, PASSWORD, { mfa_code: "no" })).status, 401);
  }
  const mfa_code = codeOf(otp_secret, two.now());
  assert.equal((await logIn(two, username, PASSWORD, { mfa_code })).status, 401);
  assert.equal((await logIn(two, username)).status, 401, "not even asked for a code");
  await two.stop();
});

Deno.test("without a mail server recovery says so only where the contract does", async () => {
  const mute = await startTestHub({
    sendMail: undefined,
  });
  const { username } = await newUser(mute);
  assert.equal((await mute.call("POST", "/recover/lost", { body: { username } })).status, 200);
  const body = { username, password: PASSWORD };
  assert.equal((await mute.call("POST", "/recover/2fa/lost", { body })).status, 400);
  await mute.stop();
});

Deno.test("GET /.well-known/jwks.json shows public halves only", async () => {
  const { call } = hub();
  const { status, body } = await call("GET", "/.well-known/jwks.json");
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body.keys[0]).sort(), ["alg", "crv", "kid", "kty", "use", "x"]);
});
