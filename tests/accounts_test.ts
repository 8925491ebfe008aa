/**
 * Accounts on the whole system: mail through a real SMTP server, changes that count on the next
 * request, public keys, what the gateway itself refuses.
 * @module
 */
import assert from "node:assert/strict";
import { createLocalJWKSet, jwtVerify } from "jose";
import { type ApiClient, createApiClient } from "./support/api.ts";
import { startTestStack, type TestStack, waitFor } from "./harness.ts";
import { startSmtp } from "./support/smtp.ts";

const PASSWORD = "Secret-password-1";
let stack: TestStack;
let admin: ApiClient;
let smtp: Awaited<ReturnType<typeof startSmtp>>;

Deno.test.beforeAll(async () => {
  smtp = await startSmtp();
  // The stack hands its own settings on to its services.
  const settings = { HOST: "localhost", PORT: smtp.port, PLAIN: "true" };
  for (const [name, value] of Object.entries(settings)) Deno.env.set(`SEXTANT_SMTP_${name}`, value);
  stack = await startTestStack();
  const { username, password } = await stack.adminCredentials();
  admin = await createApiClient(stack.gatewayUrl).login(username, password);
});

Deno.test.afterAll(async () => {
  await stack?.stop();
  await smtp.close();
  for (const name of ["HOST", "PORT", "PLAIN"]) Deno.env.delete(`SEXTANT_SMTP_${name}`);
});

async function newUser(username: string, roles: number[]): Promise<number> {
  const email = `${username}@x.example`;
  const person = { username, email, firstname: "F", lastname: "L", roles };
  return (await admin.post("/user", { ...person, password: PASSWORD })).id;
}

Deno.test("a forgotten password is recovered by a mail that was really sent", async () => {
  await newUser("forgetful", [4]);
  const anybody = createApiClient(stack.gatewayUrl);
  await anybody.post("/recover/lost", { email: "forgetful@x.example" });
  const mail = await waitFor(() => smtp.received[0], { what: "the mail" });
  const text = mail.replace(/=\r?\n/g, "");
  const reset_token = /^[\w-]{40,}(?=\r?$)/m.exec(text)![0];
  await anybody.post("/recover/reset", { reset_token, password: "Recovered-password-1" });
  await anybody.login("forgetful", "Recovered-password-1");
  await assert.rejects(anybody.login("forgetful", PASSWORD), { status: 401 });
});

Deno.test("a change of rights counts on the next request", async () => {
  const id = await newUser("demoted", [6]);
  const user = await createApiClient(stack.gatewayUrl).login("demoted", PASSWORD);
  const roles = [[4], [6], [4]];
  for (const given of roles) {
    await admin.patch(`/user/${id}`, { roles: given });
    const { status } = await user.request("PATCH", "/organization/1", { country: "NL" });
    assert.equal(status, given[0] === 6 ? 200 : 401);
  }
  await admin.delete(`/user/${id}`);
  assert.equal((await user.request("GET", "/rule")).status, 401);
});

Deno.test("anybody can verify a token with the public keys", async () => {
  const response = await fetch(`${stack.gatewayUrl}/.well-known/jwks.json`);
  assert.equal(response.status, 200);
  const { username, password } = await stack.adminCredentials();
  const { access_token } = await createApiClient(stack.gatewayUrl).post("/token/user", {
    username,
    password,
  });
  // `sub` is a number, as v6's clients need it; the signature is what is checked here.
  await jwtVerify(access_token, createLocalJWKSet(await response.json())).catch((error) => {
    assert.match(error.message, /sub/);
  });
});

Deno.test("the gateway's own refusals are in the record, with the address they came from", async () => {
  const forged = createApiClient(stack.gatewayUrl, { token: "not.a.token" });
  assert.equal((await forged.request("GET", "/user/1")).status, 422);
  await waitFor(async () => {
    const { data } = await admin.get("/audit?outcome=refused&service=identity");
    return data.some((one: { status: number; data: { address?: string } }) =>
      one.status === 422 && one.data?.address === "127.0.0.1"
    );
  }, { what: "the record of the forged token" });
});

Deno.test("description and page of the API come from the running services", async () => {
  const { paths } = await admin.get("/openapi.json");
  for (const path of ["/api/user/{id}", "/api/collaboration", "/api/task", "/api/health"]) {
    assert.ok(paths[path], path);
  }
  const page = await fetch(`${stack.gatewayUrl}/api/docs`);
  assert.match(await page.text(), /<title>Sextant API/);
});

Deno.test("too many attempts are told to wait, others are not", async () => {
  const guess = (username: string) =>
    createApiClient(stack.gatewayUrl).request("POST", "/token/user", { username, password: "x" });
  const answers = [];
  for (let round = 0; round < 40 && answers.at(-1)?.status !== 429; round++) {
    answers.push(...await Promise.all(Array.from({ length: 10 }, () => guess("nobody"))));
  }
  const limited = answers.find(({ status }) => status === 429);
  assert.ok(limited, "a caller has no more than 240 attempts at once");
  assert.ok(Number(limited.headers.get("retry-after")) >= 1);
  assert.equal((await guess("somebody-else")).status, 401);
  for (const answer of answers) await answer.body?.cancel();
});
