import assert from "node:assert/strict";
import { useTestHub } from "../../../tests/support/hub.ts";

const hub = useTestHub();

Deno.test("log-in, recovery and password routes take 16 KiB, and say so", async () => {
  const { call, root } = hub();
  const body = { username: "x".repeat(17 * 1024), password: "y", email: "z" };
  const routes = [
    "/token/user",
    "/token/node",
    "/recover/lost",
    "/recover/reset",
    "/password/change",
  ];
  for (const route of routes) {
    const method = route === "/password/change" ? "PATCH" : "POST";
    const { status, body: answer } = await call(method, route, { body, token: root });
    assert.equal(status, 413, route);
    assert.match(answer.msg, /16 KiB/);
  }
  const { status } = await call("POST", "/token/user", { body: { username: "a", password: "b" } });
  assert.equal(status, 401);
});
