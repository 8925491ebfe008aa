import assert from "node:assert/strict";
import { PASSWORD, useTestHub } from "../../../tests/support/hub.ts";

const hub = useTestHub();

Deno.test("smoke", async () => {
  const { call, root } = hub();
  console.log(await call("GET", "/organization", { token: root }));
  const made = await call("POST", "/user", {
    token: root,
    body: {
      username: "alice",
      password: PASSWORD,
      email: "a@x.example",
      firstname: "A",
      lastname: "B",
      roles: [4],
    },
  });
  assert.equal(made.status, 201);
  console.log(await call("GET", "/audit", { token: root }));
});
