import assert from "node:assert/strict";
import { waitFor } from "../../../tests/harness.ts";
import { ROOT_PASSWORD, useTestHub } from "../../../tests/support/hub.ts";
import { openChange } from "../../../shared/storage/outbox.ts";
import * as operator from "../operator.ts";

const hub = useTestHub();

const statusOf = async (token: string) => (await hub().call("GET", "/rule", { token })).status;

Deno.test("withdrawSigningKeys() ends every log-in at a running gateway, and new ones are good", async () => {
  const { call, db, login, root } = hub();
  assert.equal(await statusOf(root), 200);
  const { body: { refresh_token } } = await call("POST", "/token/user", {
    body: { username: "root", password: ROOT_PASSWORD },
  });
  let stored: Promise<unknown> | undefined;
  const kids = await db.identity.begin(async (tx) => {
    const open = openChange(tx, () => new Date());
    const kids = await operator.withdrawSigningKeys(open.change);
    stored = open.store(() => {});
    return kids;
  });
  await stored;
  assert.equal(kids.length, 1);
  await waitFor(async () => await statusOf(root) === 422, { what: "the token to be refused" });
  await waitFor(
    async () => await statusOf(await login("root", ROOT_PASSWORD)) === 200,
    { what: "a log-in with the next key" },
  );
  assert.equal((await call("POST", "/token/refresh", { token: refresh_token })).status, 422);
  assert.notEqual(hub().keys.current().kid, kids[0]);
});

Deno.test("a signing key that is gone without a word is believed for half a minute at most", async () => {
  const { db, login, advance } = hub();
  const token = await login("root", ROOT_PASSWORD);
  assert.equal(await statusOf(token), 200);
  await db.identity`delete from signing_key`;
  advance(31);
  assert.equal(await statusOf(token), 422);
});
