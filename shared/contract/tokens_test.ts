import assert from "node:assert/strict";
import { newSigningKey, type SigningKey, signToken, verifyToken } from "./tokens.ts";

const key = await newSigningKey("one");
const other = await newSigningKey("one");
const find = (known: SigningKey) => (kid: string) =>
  Promise.resolve(kid === known.kid ? known.public_jwk : undefined);
const at = new Date("2026-03-24T10:00:00Z");

const SESSION = "11111111-1111-4111-8111-111111111111";

function access(lifetimeSeconds = 60) {
  return signToken(
    key,
    { jti: "1", type: "access", client_type: "user", sub: 3, sid: SESSION, lifetimeSeconds },
    at,
  );
}

Deno.test("signToken() keeps an integer subject, as v6's clients compare ids", async () => {
  const claims = await verifyToken(await access(), find(key), { type: "access", now: at });
  assert.equal(claims.sub, 3);
  assert.equal(claims.client_type, "user");
});

Deno.test("signToken() gives a container an object as subject and no expiry", async () => {
  const sub = {
    client_type: "container" as const,
    node_id: 9,
    organization_id: 3,
    collaboration_id: 1,
    study_id: null,
    store_id: null,
    task_id: 1,
    image: "deno:average@1.0.0",
    databases: [{ label: "default" }],
  };
  const token = await signToken(
    key,
    {
      jti: "1",
      type: "access",
      client_type: "container",
      sub,
      result_id: 5,
      attempt: 2,
      key_generation: 1,
    },
    at,
  );
  const later = new Date(at.getTime() + 365 * 86_400_000);
  const claims = await verifyToken(token, find(key), { type: "access", now: later });
  assert.deepEqual(claims.sub, sub);
  assert.equal("exp" in claims, false);
});

Deno.test("verifyToken() answers 401 for an expired token and 422 for anything that is none", async () => {
  const later = new Date(at.getTime() + 61_000);
  await assert.rejects(
    verifyToken(await access(), find(key), { type: "access", now: later }),
    { status: 401, code: "unauthenticated" },
  );
  for (
    const bad of [
      "",
      "x",
      "a.b.c",
      `${await access()}x`,
      (await access()).replace(/\..*\./, ".e30."),
    ]
  ) {
    await assert.rejects(
      verifyToken(bad, find(key), { type: "access", now: at }),
      { status: 422, code: "invalid_token" },
    );
  }
});

Deno.test("verifyToken() refuses a token signed by another key of the same name", async () => {
  await assert.rejects(
    verifyToken(await access(), find(other), { type: "access", now: at }),
    { code: "invalid_token" },
  );
});

Deno.test("verifyToken() refuses an access token as a refresh token", async () => {
  await assert.rejects(
    verifyToken(await access(), find(key), { type: "refresh", now: at }),
    { code: "invalid_token" },
  );
});

Deno.test("verifyToken() refuses an unsigned token", async () => {
  const [, payload] = (await access()).split(".");
  const header = btoa('{"alg":"none","kid":"one"}').replaceAll("=", "");
  await assert.rejects(
    verifyToken(`${header}.${payload}.`, find(key), { type: "access", now: at }),
    { code: "invalid_token" },
  );
});

Deno.test("verifyToken() passes on that the keys could not be had", async () => {
  const down = () => Promise.reject(new Error("identity is away"));
  await assert.rejects(verifyToken(await access(), down, { type: "access", now: at }), {
    message: "identity is away",
  });
});
