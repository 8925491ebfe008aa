/**
 * Requests of somebody who knows the old password, which the owner's recovery overtakes: the
 * password was found right, and is another one when the request would change something.
 * @module
 */
import assert from "node:assert/strict";
import { waitFor } from "../../../tests/harness.ts";
import { PASSWORD, useTestHub } from "../../../tests/support/hub.ts";

const hub = useTestHub({ twoFactor: true });
let serial = 0;

async function somebody() {
  const { call, signIn } = hub();
  const username = `overtaken${++serial}`;
  const person = { email: `${username}@x.example`, firstname: "F", lastname: "L" };
  const body = { ...person, username, password: PASSWORD, roles: [4] };
  const made = await call("POST", "/user", { token: await signIn({ type: "user", id: 1 }), body });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const id = made.body.id as number;
  const token = await signIn({ type: "user", id });
  // From now on the gateway knows whose it is, and asks no more.
  assert.equal((await call("GET", `/user/${id}`, { token })).status, 200);
  return { id, username, token };
}

interface Account {
  password_hash: string;
  email: string;
  otp_secret: string | null;
}

/**
 * Runs the request so that it reads the account before a new password is in it, and changes it
 * after.
 */
async function overtake<Answer>(id: number, request: () => Promise<Answer>) {
  const { db } = hub();
  const { answer } = await db.identity.begin(async (tx) => {
    await tx`update "user" set password_hash = 'recovered' where id = ${id}`;
    const answer = request();
    await waitFor(
      async () =>
        (await db.identity`
          select 1 from pg_stat_activity where wait_event_type = 'Lock'
            and query like '%from "user"%for update%'`).length > 0,
      { what: "the request to wait, with the old password found right" },
    );
    return { answer };
  });
  const [account] = await answer.then(() =>
    db.identity<Account[]>`
      select password_hash, email, otp_secret from "user" where id = ${id}`
  );
  return { answer: await answer, account: account! };
}

Deno.test("a change of password with the old one does not undo a recovery that overtakes it", async () => {
  const { id, token } = await somebody();
  const body = { current_password: PASSWORD, new_password: "Changed-password-1" };
  const { answer, account } = await overtake(
    id,
    () => hub().call("PATCH", "/password/change", { token, body }),
  );
  assert.equal(answer.status, 401, JSON.stringify(answer.body));
  assert.equal(account.password_hash, "recovered");
});

Deno.test("a change of one's e-mail address with the old password is overtaken by a recovery", async () => {
  const { id, username, token } = await somebody();
  const body = { email: "thief@x.example", current_password: PASSWORD };
  const { answer, account } = await overtake(
    id,
    () => hub().call("PATCH", `/user/${id}`, { token, body }),
  );
  assert.equal(answer.status, 401, JSON.stringify(answer.body));
  assert.equal(account.email, `${username}@x.example`);
});

Deno.test("a log-in with the old password sets up no second factor after a recovery", async () => {
  const { id, username } = await somebody();
  const body = { username, password: PASSWORD };
  const { answer, account } = await overtake(id, () => hub().call("POST", "/token/user", { body }));
  assert.equal(answer.body.otp_secret, undefined, JSON.stringify(answer.body));
  assert.equal(account.otp_secret, null);
});
