import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { EventName } from "../../shared/messages/events.ts";
import type { Change } from "../../shared/storage/outbox.ts";
import { PASSWORD, useTestHub } from "../../tests/support/hub.ts";
import * as operator from "./operator.ts";

const hub = useTestHub();
let serial = 0;

/** Makes a change as the shell does; returns what it returned and told. */
async function change<Result>(
  work: (change: Change) => Promise<Result>,
): Promise<{ result: Result; told: { name: EventName; data: unknown }[] }> {
  const told: { name: EventName; data: unknown }[] = [];
  const result = await hub().db.identity.begin((tx) =>
    work({
      tx,
      emit: (name, data) => void told.push({ name, data }),
      send: () => assert.fail("identity sends no message but events"),
    })
  ) as Result;
  return { result, told };
}

async function newUser(given: { roles?: number[] } = {}) {
  const username = `operated${++serial}`;
  const organization_id = 1;
  const { result, told } = await change((one) =>
    operator.createUser(one, { username, password: PASSWORD, organization_id, ...given })
  );
  assert.deepEqual(told, [{ name: "user.changed", data: { user_id: result.id, organization_id } }]);
  return result;
}

async function logIns(userId: number): Promise<number> {
  const sessions = await hub().db.identity`
    select from session where client_type = 'user' and client_id = ${userId}`;
  return sessions.length;
}

async function addResetToken(userId: number): Promise<void> {
  await hub().db.identity`
    insert into reset_token (sha256, user_id, purpose, expires_at)
    values (${crypto.randomUUID()}, ${userId}, 'password', now() + interval '1 hour')`;
}

async function resetTokens(userId: number): Promise<number> {
  return (await hub().db.identity`select from reset_token where user_id = ${userId}`).length;
}

Deno.test("createUser() makes a user who can log in", async () => {
  const { username, id } = await newUser();
  await hub().login(username);
  assert.equal(await logIns(id), 1);
});

Deno.test("updateUser() with a password opens a locked account, and ends log-ins and recoveries", async () => {
  const { login, db } = hub();
  const { username, id } = await newUser();
  await login(username);
  await addResetToken(id);
  await change((one) => operator.updateUser(one, id, { failed_login_attempts: 9 }));
  assert.equal(await logIns(id), 1);
  const { told } = await change((one) =>
    operator.updateUser(one, id, { password: "New-Secret-2" })
  );
  assert.deepEqual(told.map((one) => one.name), ["user.changed"]);
  assert.equal(await logIns(id) + await resetTokens(id), 0);
  const [row] = await db.identity`select failed_login_attempts from "user" where id = ${id}`;
  assert.equal(row!.failed_login_attempts, 0);
  await assert.rejects(login(username), /wrong/);
  await login(username, "New-Secret-2");
});

Deno.test("updateUser() and updateRole() end no log-in by other rights, but by another organization", async () => {
  const { login } = hub();
  const { result: few } = await change((one) =>
    operator.createRole(one, { name: `few${++serial}`, organization_id: 1, rules: [1] })
  );
  const { result: many } = await change((one) =>
    operator.createRole(one, { name: `many${++serial}`, organization_id: 1, rules: [1, 2] })
  );
  const { username, id } = await newUser({ roles: [few.id] });
  await login(username);
  await change((one) => operator.updateUser(one, id, { roles: [many.id] }));
  assert.equal(await logIns(id), 1);
  await change((one) => operator.updateRole(one, many.id, { description: "the same rules" }));
  assert.equal(await logIns(id), 1);
  await change((one) => operator.updateRole(one, many.id, { rules: [2] }));
  assert.equal(await logIns(id), 1);
  const { told } = await change((one) => operator.removeRole(one, many.id));
  assert.deepEqual(told, [{ name: "role.deleted", data: { role_id: many.id } }]);
  assert.equal(await logIns(id), 1);
  const { result: elsewhere } = await change((one) =>
    operator.createOrganization(one, { name: `elsewhere${++serial}` })
  );
  await change((one) => operator.updateUser(one, id, { organization_id: elsewhere.id }));
  assert.equal(await logIns(id), 0);
});

Deno.test("updateUser() with another address ends recoveries sent to the old one, and trusts it", async () => {
  const { db } = hub();
  const { id } = await newUser();
  await db.identity`update "user" set recoverable = false where id = ${id}`;
  await addResetToken(id);
  await change((one) => operator.updateUser(one, id, { email: `x${serial}@example.org` }));
  const [row] = await db.identity`select recoverable from "user" where id = ${id}`;
  assert.equal(row!.recoverable, true);
  assert.equal(await resetTokens(id), 0);
});

Deno.test("removeSecondFactor() ends log-ins, and the next one sets a factor up", async () => {
  const { db, login } = hub();
  const { username, id } = await newUser();
  await login(username);
  await db.identity`update "user" set otp_secret = 'ABC' where id = ${id}`;
  await change((one) => operator.removeSecondFactor(one, id));
  const [row] = await db.identity`select otp_secret from "user" where id = ${id}`;
  assert.equal(row!.otp_secret, null);
  assert.equal(await logIns(id), 0);
});

Deno.test("removeOrganization() takes users and roles along, and tells of each", async () => {
  const { result: organization } = await change((one) =>
    operator.createOrganization(one, { name: `operated ${++serial}` })
  );
  const organization_id = organization.id;
  const { result: user } = await change((one) =>
    operator.createUser(one, { username: `gone${serial}`, password: PASSWORD, organization_id })
  );
  const { result: role } = await change((one) =>
    operator.createRole(one, { name: "theirs", organization_id, rules: [] })
  );
  await hub().login(`gone${serial}`);
  const { told } = await change((one) => operator.removeOrganization(one, organization_id));
  assert.deepEqual(told, [
    { name: "user.deleted", data: { user_id: user.id, organization_id } },
    { name: "role.deleted", data: { role_id: role.id } },
    { name: "organization.deleted", data: { organization_id } },
  ]);
  assert.equal(await logIns(user.id), 0);
});

Deno.test("operator changes of what does not exist are refused, and so is the end of a default role", async () => {
  const missing = 2_000_000_000;
  const attempts = [
    (one: Change) => operator.updateUser(one, missing, { firstname: "x" }),
    (one: Change) => operator.removeUser(one, missing),
    (one: Change) => operator.updateRole(one, missing, { name: "x" }),
    (one: Change) => operator.removeRole(one, missing),
    (one: Change) => operator.updateOrganization(one, missing, { name: "x" }),
    (one: Change) => operator.removeSecondFactor(one, missing),
  ];
  for (const attempt of attempts) {
    await assert.rejects(change<unknown>(attempt), { code: "not_found" });
  }
  await assert.rejects(change((one) => operator.removeRole(one, 1)), { code: "invalid_request" });
});

Deno.test("updateOrganization() tells of another public key by its fingerprint, of nothing else", async () => {
  const name = `keyed${++serial}`;
  const { result: made } = await change((one) => operator.createOrganization(one, { name }));
  const update = async (values: { country?: string; public_key?: string }) =>
    (await change((one) => operator.updateOrganization(one, made.id, values))).told[0]!.data;
  const organization_id = made.id;
  assert.deepEqual(await update({ country: "NL" }), { organization_id });
  const told = await update({ public_key: btoa("a key") }) as { public_key: string };
  assert.match(told.public_key, /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(await update({ public_key: btoa("a key") }), { organization_id });
  assert.deepEqual(await update({ public_key: "" }), { organization_id, public_key: null });
});

Deno.test("createOrganization() and updateOrganization() store no private key, nor one for elliptic curves", async () => {
  const pem = (key: KeyObject, type: "pkcs8" | "spki") =>
    btoa(key.export({ type: type as "spki", format: "pem" }) as string);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { publicKey } = generateKeyPairSync("ed25519");
  const name = `kept${++serial}`;
  const { result: made } = await change((one) => operator.createOrganization(one, { name }));
  for (const public_key of [pem(privateKey, "pkcs8"), pem(publicKey, "spki")]) {
    const attempts = [
      (one: Change) => operator.createOrganization(one, { name: `${name} too`, public_key }),
      (one: Change) => operator.updateOrganization(one, made.id, { public_key }),
    ];
    for (const attempt of attempts) {
      await assert.rejects(change<unknown>(attempt), {
        code: "invalid_request",
        message: /^Cannot set this public key: it /,
      });
    }
  }
});
