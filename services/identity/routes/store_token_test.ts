import assert from "node:assert/strict";
import { PASSWORD, useTestHub } from "../../../tests/support/hub.ts";

const hub = useTestHub();

async function newUser() {
  const { call, root, signIn } = hub();
  const username = "visitor-of-stores";
  const { body } = await call("POST", "/user", {
    token: root,
    body: {
      username,
      password: PASSWORD,
      email: `${username}@x.example`,
      firstname: "F",
      lastname: "L",
    },
  });
  const id: number = body.id;
  return { id, username, token: await signIn({ type: "user", id }) };
}

Deno.test("POST /token/store gives a token that shows a store whose it is, and ends with the log-in", async () => {
  const { call, root } = hub();
  const { id, username, token } = await newUser();
  const given = await call("POST", "/token/store", {
    token,
    body: { url: "https://s.example/api" },
  });
  const { store_token } = given.body;
  const validate = () => call("POST", "/token/user/validate", { token: store_token });
  assert.deepEqual([(await validate()).status, (await validate()).body.username], [200, username]);
  assert.equal((await call("GET", `/user/${id}`, { token: store_token })).status, 401);
  await call("DELETE", `/user/${id}`, { token: root });
  assert.equal((await validate()).status, 401);
});

Deno.test("POST /token/node/validate tells which node's token it is, with its store's token too", async () => {
  const { call, root, signIn } = hub();
  const collaboration = await call("POST", "/collaboration", {
    token: root,
    body: { name: "Validated", organization_ids: [1], encrypted: false },
  });
  const { body: node } = await call("POST", "/node", {
    token: root,
    body: { name: "validated", collaboration_id: collaboration.body.id },
  });
  const token = await signIn({ type: "node", id: node.id });
  const { body: { store_token } } = await call("POST", "/token/store", {
    token,
    body: { url: "https://s.example/api" },
  });
  for (const one of [token, store_token]) {
    const { status, body } = await call("POST", "/token/node/validate", { token: one });
    assert.equal(status, 200);
    assert.deepEqual(body, {
      msg: "Token is valid",
      node_id: node.id,
      name: "validated",
      organization_id: 1,
    });
  }
  for (const one of [root, undefined, "x"]) {
    const { status } = await call("POST", "/token/node/validate", { token: one });
    assert.ok([401, 422].includes(status));
  }
  assert.equal((await call("GET", `/node/${node.id}`, { token: store_token })).status, 401);
});
