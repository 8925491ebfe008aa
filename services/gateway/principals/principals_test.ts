import assert from "node:assert/strict";
import type { SextantEvent } from "../../../shared/messages/events.ts";
import type { Ask } from "../../../shared/messages/questions.ts";
import { newSigningKey, signToken } from "../../../shared/contract/tokens.ts";
import { createPrincipals } from "./principals.ts";

const key = await newSigningKey("k");

/** Stands for what identity and collaboration know; counts how often a user is asked for. */
function world() {
  const state = {
    asked: 0,
    rules: ["task:VIEW:OWN"],
    exists: true,
    tokensSince: 0,
    machineRules: ["run:VIEW:COLLABORATION"],
    keys: [{ ...key.public_jwk, kid: key.kid }],
    hold: undefined as Promise<void> | undefined,
  };
  const answers: Record<string, (input: { id: number }) => unknown> = {
    "identity.keys": () => state.keys,
    "identity.machine_rules": () => state.machineRules,
    "identity.user": ({ id }) => {
      state.asked++;
      return state.exists ? { id, username: "a", organization_id: 2, rules: state.rules } : null;
    },
    "collaboration.memberships": () => [
      { id: 1, organization_ids: [2, 3] },
      { id: 9, organization_ids: [2] },
    ],
    "collaboration.node": ({ id }) =>
      state.exists
        ? {
          id,
          name: "n",
          organization_id: 2,
          collaboration_id: 1,
          ip: null,
          status: null,
          tokens_since: state.tokensSince,
        }
        : null,
  };
  const ask = (async (service: string, method: string, input: never) => {
    const answer = answers[`${service}.${method}`]!(input);
    await state.hold;
    return answer;
  }) as unknown as Ask;
  return { state, principals: createPrincipals({ ask }) };
}

async function bearer(client_type: "user" | "node" = "user", sub = 5) {
  const content = { jti: "1", type: "access" as const, client_type, sub, lifetimeSeconds: 60 };
  return `Bearer ${await signToken(key, content)}`;
}

const changed: SextantEvent = {
  name: "user.changed",
  at: "",
  data: { user_id: 5, organization_id: 2 },
};

Deno.test("createPrincipals() asks once and again after an event says it changed", async () => {
  const { state, principals } = world();
  const token = await bearer();
  await principals.of(token);
  await principals.of(token);
  assert.equal(state.asked, 1);
  state.rules = [];
  principals.hear(changed);
  assert.deepEqual((await principals.of(token))?.rules, []);
});

Deno.test("createPrincipals() does not keep an answer that an event overtook", async () => {
  const { state, principals } = world();
  const token = await bearer();
  const { promise, resolve } = Promise.withResolvers<void>();
  state.hold = promise;
  const first = principals.of(token);
  while (state.asked === 0) {
    resolve();
    await new Promise((done) => setTimeout(done));
  }
  principals.hear(changed);
  await first;
  await principals.of(token);
  assert.ok(state.asked >= 2);
});

Deno.test("createPrincipals() refuses a token whose user is gone", async () => {
  const { state, principals } = world();
  state.exists = false;
  await assert.rejects(principals.of(await bearer()), { status: 401 });
});

Deno.test("createPrincipals() gives a node its own collaboration only", async () => {
  const { principals } = world();
  const principal = await principals.of(await bearer("node", 8));
  assert.deepEqual(principal?.collaborations, [{ id: 1, organization_ids: [2, 3] }]);
});

Deno.test("createPrincipals() refuses other schemes and lets the anonymous be anonymous", async () => {
  const { principals } = world();
  assert.equal(await principals.of(undefined), undefined);
  await assert.rejects(principals.of("Basic abc"), { status: 401 });
  await assert.rejects(principals.of("Bearer nonsense"), { status: 422 });
});

Deno.test("createPrincipals() refuses a node's tokens from before its key was reset", async () => {
  const { state, principals } = world();
  const token = await bearer("node", 7);
  assert.equal((await principals.of(token))?.kind, "node");
  state.tokensSince = Math.floor(Date.now() / 1000) + 1;
  const data = { node_id: 7, organization_id: 2, collaboration_id: 1 };
  principals.hear({ name: "node.key_reset", at: "", data });
  for (let turn = 0; turn < 2; turn++) {
    await assert.rejects(principals.of(token), { code: "unauthenticated" });
  }
});

Deno.test("createPrincipals() learns of other rules of machines, and of a key withdrawn", async () => {
  const { state, principals } = world();
  const token = await bearer("node", 7);
  assert.deepEqual((await principals.of(token))?.rules, ["run:VIEW:COLLABORATION"]);
  state.machineRules = [];
  principals.forget();
  assert.deepEqual((await principals.of(token))?.rules, []);
  state.keys = [];
  principals.forget();
  await assert.rejects(principals.of(token), { code: "invalid_token" });
});
