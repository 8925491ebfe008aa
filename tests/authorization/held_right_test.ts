/**
 * Rights that end in other ways than in the tables, while a body is sent: by the end of a log-in,
 * and by roles that are taken.
 * @module
 */
import assert from "node:assert/strict";
import { waitFor } from "../harness.ts";
import { PASSWORD, useTestHub } from "../support/hub.ts";
import { sendInHalves } from "./held_body.ts";
import { ROLES } from "./world.ts";

const hub = useTestHub();

async function newUser(role: string): Promise<{ id: number; username: string; token: string }> {
  const { call, root, login } = hub();
  const username = `u${crypto.randomUUID().slice(0, 8)}`;
  const person = { username, password: PASSWORD, email: `${username}@x.example` };
  const body = { ...person, firstname: "F", lastname: "L", roles: [ROLES.indexOf(role) + 1] };
  const made = await call("POST", "/user", { token: root, body });
  assert.equal(made.status, 201);
  return { id: made.body.id, username, token: await login(username) };
}

const asks = (password: string) => ({ current_password: PASSWORD, new_password: password });

Deno.test("a password is not changed by a log-in that ends while it is sent, though it be the right one", async () => {
  const { call, login, address } = hub();
  const { username, token } = await newUser("Viewer");
  const other = await login(username);
  const request = { method: "PATCH", path: "/password/change", token, body: asks("Another-1-x") };
  const { status, text } = await sendInHalves(address, request, async () => {
    assert.equal((await call("DELETE", "/session", { token: other })).status, 200);
  });
  assert.equal(status, 401, text);
  assert.match(text, /"code":"unauthenticated"/);
  const body = { username, password: PASSWORD };
  assert.equal((await call("POST", "/token/user", { body })).status, 200, "it is the old one");
  const again = { token: other, body: asks("Another-1-x") };
  assert.equal((await call("PATCH", "/password/change", again)).status, 200, "else it is changed");
});

Deno.test("roles that are taken while a body is sent count no more when it is whole", async () => {
  const { call, root, address, db } = hub();
  const { id, token } = await newUser("Organization Admin");
  const name = `role ${crypto.randomUUID()}`;
  const request = { method: "POST", path: "/role", token, body: { name, rules: [] } };
  const made = () => db.identity`select 1 from role where name = ${name}`;
  await db.identity`update "user" set last_seen = null where id = ${id}`;
  const { status, text } = await sendInHalves(address, request, async () => {
    const seen = async () =>
      (await db.identity`select 1 from "user" where id = ${id} and last_seen is not null`).length;
    await waitFor(seen, { what: "the hub to look at the sender" });
    const taken = await call("PATCH", `/user/${id}`, { token: root, body: { roles: [] } });
    assert.equal(taken.status, 200);
  });
  assert.equal(status, 401, text);
  assert.match(text, /"code":"forbidden"/);
  assert.equal((await made()).length, 0);
  await call("PATCH", `/user/${id}`, {
    token: root,
    body: { roles: [ROLES.indexOf("Organization Admin") + 1] },
  });
  const again = await sendInHalves(address, request, () => Promise.resolve());
  assert.equal(again.status, 201, again.text);
});
