import assert from "node:assert/strict";
import type { SextantEvent } from "../../../shared/messages/events.ts";
import type { Ask } from "../../../shared/messages/questions.ts";
import { newSigningKey, signToken } from "../../../shared/contract/tokens.ts";
import { createPrincipals } from "./principals.ts";

const key = await newSigningKey("k");
const SESSION: string = crypto.randomUUID();

/** Stands for what identity and collaboration know; counts how often a user is asked for. */
function world() {
  const state = {
    asked: 0,
    rules: ["task:VIEW:OWN"],
    exists: true,
    keyGeneration: 1,
    sessions: [SESSION],
    /** At the container's result. */
    attempt: 1 as number | null,
    attemptAsked: 0,
    machineRules: ["run:VIEW:COLLABORATION"],
    keys: [{ ...key.public_jwk, kid: key.kid }],
    hold: undefined as Promise<void> | undefined,
  };
  type Input = { id: number; session_id: string };
  const answers: Record<string, (input: Input) => unknown> = {
    "identity.keys": () => state.keys,
    "identity.machine_rules": () => state.machineRules,
    "identity.node_session": ({ session_id }) =>
      state.sessions.includes(session_id) ? { key_generation: 1 } : null,
    "task.attempt": () => {
      state.attemptAsked++;
      return state.attempt === null ? null : { task_id: 4, node_id: 7, attempt: state.attempt };
    },
    "identity.user": ({ id, session_id }) => {
      state.asked++;
      return state.exists && state.sessions.includes(session_id)
        ? { id, username: "a", organization_id: 2, rules: state.rules }
        : null;
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
          key_generation: state.keyGeneration,
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

async function bearer(
  client_type: "user" | "node" = "user",
  sub = 5,
  { sid = SESSION, type = "access" as "access" | "store" } = {},
) {
  const content = { jti: "1", type, client_type, sub, sid, lifetimeSeconds: 60 };
  return `Bearer ${await signToken(key, content)}`;
}

async function containerBearer(attempt = 1, key_generation = 1) {
  const token = await signToken(key, {
    jti: "1",
    type: "access",
    client_type: "container",
    result_id: 12,
    attempt,
    key_generation,
    sub: {
      client_type: "container",
      node_id: 7,
      organization_id: 2,
      collaboration_id: 1,
      study_id: null,
      store_id: null,
      task_id: 4,
      image: "i",
      databases: [],
    },
  });
  return `Bearer ${token}`;
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
  const inTheContainer = await containerBearer();
  assert.equal((await principals.of(inTheContainer))?.kind, "container");
  state.keyGeneration = 2;
  const data = { node_id: 7, organization_id: 2, collaboration_id: 1 };
  principals.hear({ name: "node.key_reset", at: "", data });
  for (let turn = 0; turn < 2; turn++) {
    await assert.rejects(principals.of(token), { code: "unauthenticated" });
    await assert.rejects(principals.of(inTheContainer), { code: "unauthenticated" });
  }
});

Deno.test("createPrincipals() refuses all tokens of a session that has ended, and of no other", async () => {
  const { state, principals } = world();
  const other = crypto.randomUUID();
  state.sessions.push(other);
  const tokens = [await bearer(), await bearer("node", 7)];
  const still = [await bearer("user", 5, { sid: other }), await bearer("node", 7, { sid: other })];
  for (const token of [...tokens, ...still]) await principals.of(token);
  state.sessions = [other];
  const ended = (client_type: "user" | "node", client_id: number): SextantEvent => ({
    name: "session.ended",
    at: "",
    data: { session_id: SESSION, client_type, client_id },
  });
  principals.hear(ended("user", 5));
  principals.hear(ended("node", 7));
  for (const token of tokens) {
    await assert.rejects(principals.of(token), { status: 401, message: /log-in has ended/ });
  }
  for (const token of still) await principals.of(token);
});

Deno.test("createPrincipals() refuses a container's token when its attempt is over", async () => {
  const { state, principals } = world();
  const token = await containerBearer();
  for (let turn = 0; turn < 3; turn++) {
    assert.equal((await principals.of(token))?.kind, "container");
  }
  assert.equal(state.attemptAsked, 1);
  const moved = { result_id: 12, task_id: 4 } as Extract<
    SextantEvent,
    { name: "result.status" }
  >["data"];
  // Another attempt: its token is good, even before the event is heard, the old one is not.
  state.attempt = 2;
  const next = await containerBearer(2);
  assert.equal((await principals.of(next))?.kind, "container");
  await assert.rejects(principals.of(token), { status: 401, message: /Another attempt/ });
  state.attempt = null;
  principals.hear({ name: "result.status", at: "", data: moved });
  await assert.rejects(principals.of(next), { status: 401, message: /is over/ });
});

Deno.test("createPrincipals() forgets the containers of a task that was deleted", async () => {
  const { state, principals } = world();
  const token = await containerBearer();
  await principals.of(token);
  state.attempt = null;
  const data = { task_id: 4, collaboration_id: 1, init_org_id: 1, init_user_id: 1 };
  principals.hear({ name: "task.deleted", at: "", data });
  await assert.rejects(principals.of(token), { status: 401 });
});

Deno.test("createPrincipals() takes a store's token only where stores ask whose it is", async () => {
  const { principals } = world();
  for (const [kind, id] of [["user", 5], ["node", 7]] as const) {
    const token = await bearer(kind, id, { type: "store" });
    assert.equal((await principals.of(token, { forStore: true }))?.id, id);
    await assert.rejects(principals.of(token), { status: 401, message: /nothing else/ });
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
