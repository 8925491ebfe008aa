import assert from "node:assert/strict";
import type { Context } from "hono";
import { type AppEnv, createApp } from "../../../shared/contract/app.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { addressOf, attemptLimits, limitAttempts } from "./rate_limit.ts";

function limited(status: number, perMinute = 1) {
  const app = createApp(silentLogger);
  app.use(limitAttempts({ ...attemptLimits(perMinute), now: () => 0 }));
  app.all("/api/*", (c) => c.json({ msg: "" }, status as 200));
  return (path: string, username: string, address = "192.0.2.1") => {
    const body = JSON.stringify({ username, password: "x" });
    const headers = { "content-length": String(body.length) };
    const env: AppEnv["Bindings"] = { address };
    return app.request(path, { method: "POST", body, headers }, env);
  };
}

Deno.test("limitAttempts() answers 429 with Retry-After, as JSON, per caller and per address", async () => {
  const attempt = limited(401);
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push((await attempt("/api/token/user", "alice")).status);
  assert.deepEqual(statuses, [401, 401, 401, 401, 429]);
  const refused = await attempt("/api/token/user", "alice");
  assert.equal(refused.headers.get("retry-after"), "60");
  assert.match((await refused.json()).msg, /Too many attempts/);
  assert.equal((await attempt("/api/token/user", "bob")).status, 401);
  for (const name of ["c", "d", "e", "f", "g"]) await attempt("/api/token/user", name);
  assert.equal((await attempt("/api/token/user", "h")).status, 429, "the address has had its 10");
  assert.equal((await attempt("/api/token/user", "alice", "192.0.2.2")).status, 401);
});

Deno.test("limitAttempts() takes half an IPv6 address for one, however it is written", async () => {
  for (
    const [at, other] of [["2001:db8::", "2001:db8:0:1::"], ["2001:db8:1:2:", "2001:db8:1:3:"]]
  ) {
    const attempt = limited(401);
    const log = async (tail: string, place = at) =>
      (await attempt("/api/token/user", `user${tail}`, `${place}${tail}`)).status;
    for (let i = 1; i <= 10; i++) assert.equal(await log(`${i}:0:0:1`), 401);
    assert.equal(await log("11:0:0:1"), 429, at);
    assert.equal(await log("1:0:0:1", other), 401);
  }
});

Deno.test("limitAttempts(): who goes on after a refusal uses up no attempts of their neighbours", async () => {
  const attempt = limited(401);
  for (let i = 0; i < 30; i++) await attempt("/api/token/user", "alice");
  assert.equal((await attempt("/api/token/user", "bob")).status, 401);
});

Deno.test("limitAttempts() does not count successful log-ins, refreshes and other routes", async () => {
  for (const path of ["/api/token/user", "/api/token/refresh", "/api/user"]) {
    const attempt = limited(200);
    for (let i = 0; i < 30; i++) assert.equal((await attempt(path, "alice")).status, 200);
  }
  const attempt = limited(200);
  for (let i = 0; i < 4; i++) await attempt("/api/recover/lost", "alice");
  assert.equal((await attempt("/api/recover/lost", "alice")).status, 429);
});

Deno.test("limitAttempts() makes no new caller of a long body or another Authorization", async () => {
  const app = createApp(silentLogger);
  app.use(limitAttempts({ ...attemptLimits(1), now: () => 0 }));
  app.post("/api/token/user", (c) => c.json({ msg: "" }, 401));
  const body = JSON.stringify({ username: "alice", padding: "x".repeat(5000) });
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) {
    const headers = { authorization: `Bearer ${i}` };
    const sent = await app.request("/api/token/user", { method: "POST", body, headers });
    statuses.push(sent.status);
  }
  assert.deepEqual(statuses, [401, 401, 401, 401, 429]);
});

Deno.test("limitAttempts() counts one user's changes of password together, whichever token they send", async () => {
  const app = createApp(silentLogger);
  app.use(limitAttempts({ ...attemptLimits(1), now: () => 0 }));
  const refuse = (c: Context) => c.json({ msg: "" }, 401);
  app.patch("/api/password/change", refuse).post("/api/password/2fa", refuse);
  app.get("/api/password/2fa", (c) => c.json({ msg: "" }, 401));
  async function change(sub: number, serial: number, method = "PATCH") {
    const claims = btoa(JSON.stringify({ client_type: "user", sub, jti: serial }));
    const authorization = `Bearer h.${claims.replace(/=+$/, "")}.s${serial}`;
    const body = JSON.stringify({ current_password: "x", new_password: "y" });
    const path = method === "PATCH" ? "/api/password/change" : "/api/password/2fa";
    const sent = { method, ...method === "GET" ? {} : { body }, headers: { authorization } };
    return (await app.request(path, sent)).status;
  }
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push(await change(7, i));
  assert.deepEqual(statuses, [401, 401, 401, 401, 429]);
  assert.equal(await change(7, 8, "POST"), 429, "that of the second factor among them");
  assert.equal(await change(7, 8, "GET"), 401, "nothing is proved by looking");
  assert.equal(await change(8, 9), 401);
});

Deno.test("limitAttempts(): a node with a wrong key, or a stale mail, uses up no attempts of its neighbours", async () => {
  const app = createApp(silentLogger);
  app.use(limitAttempts({ ...attemptLimits(1), now: () => 0 }));
  app.post("/api/*", (c) => c.json({ msg: "" }, 401));
  async function attempt(path: string, body: Record<string, string>) {
    const env: AppEnv["Bindings"] = { address: "192.0.2.1" };
    const sent = { method: "POST", body: JSON.stringify(body) };
    return (await app.request(path, sent, env)).status;
  }
  for (let i = 0; i < 30; i++) await attempt("/api/token/node", { api_key: "misconfigured" });
  assert.equal(await attempt("/api/token/node", { api_key: "misconfigured" }), 429);
  assert.equal(await attempt("/api/token/node", { api_key: "neighbour" }), 401);
  const stale = { reset_token: "stale", password: "x" };
  assert.equal(await attempt("/api/recover/reset", stale), 401);
  // Guessing gets nobody further: all from one address are limited, too.
  for (let i = 0; i < 4; i++) await attempt("/api/token/node", { api_key: `guess ${i}` });
  assert.equal(await attempt("/api/token/node", { api_key: "guess" }), 429);
});

Deno.test("limitAttempts() leaves the body to the handler", async () => {
  const app = createApp(silentLogger);
  app.use(limitAttempts(attemptLimits(60)));
  app.post("/api/token/user", async (c) => c.json(await c.req.json()));
  const body = JSON.stringify({ username: "alice" });
  const headers = { "content-length": String(body.length) };
  const response = await app.request("/api/token/user", { method: "POST", body, headers });
  assert.deepEqual(await response.json(), { username: "alice" });
});

Deno.test("addressOf() believes a proxy only when told to, and only its own word", () => {
  const request = new Request("http://x", { headers: { "x-forwarded-for": "6.6.6.6, 192.0.2.7" } });
  assert.equal(addressOf(request, { remote: "127.0.0.1", trustProxy: false }), "127.0.0.1");
  assert.equal(addressOf(request, { remote: "127.0.0.1", trustProxy: true }), "192.0.2.7");
  const direct = new Request("http://x");
  assert.equal(addressOf(direct, { remote: "127.0.0.1", trustProxy: true }), "127.0.0.1");
});
