import assert from "node:assert/strict";
import { connectToBroker } from "../../../shared/broker/connection.ts";
import { newUserKey } from "../../../shared/broker/signing.ts";
import { NODE_PROTOCOL } from "../../../shared/node_protocol/reports.ts";
import { silentLogger as log } from "../../../shared/service/log.ts";
import { waitFor } from "../../../tests/harness.ts";
import { useTestHub } from "../../../tests/support/hub.ts";
import { tryLogin } from "../../../tests/support/nats.ts";

const hub = useTestHub();

interface Given {
  jwt: string;
  nats_url: string;
}

async function newCollaboration(name: string): Promise<number> {
  const { call, root } = hub();
  const body = { name, organization_ids: [1], encrypted: false };
  return (await call("POST", "/collaboration", { token: root, body })).body.id;
}

/** A node whose agent is logged in and connected to the broker. */
async function connectedNode(name: string) {
  const { call, root } = hub();
  const collaboration_id = await newCollaboration(name);
  const { body: node } = await call("POST", "/node", { token: root, body: { collaboration_id } });
  const agent = await logIn(node.api_key);
  const given = await agent.credential();
  const nc = await connectToBroker({
    url: given.nats_url,
    name: "node",
    credential: { seed: agent.seed, jwt: () => given.jwt },
    inboxPrefix: `_INBOX.${node.id}`,
    log,
  });
  return { id: node.id as number, agent, nc };
}

/** An agent that has logged in with an API key; it asks for credentials with a key of its own. */
async function logIn(api_key: string, { seed, publicKey: public_key } = newUserKey()) {
  const { call } = hub();
  const { body } = await call("POST", "/token/node", { body: { api_key } });
  const token: string = body.access_token;
  const ask = () =>
    call("POST", "/token/broker", { token, body: { public_key, protocol: NODE_PROTOCOL } });
  return {
    seed,
    token,
    ask,
    async credential(): Promise<Given> {
      const { status, body } = await ask();
      assert.equal(status, 200, body.msg);
      return body;
    },
  };
}

const ROUNDS = 12;

for (
  const [what, shutOut] of [["gets a new API key", "reset"], ["is deleted", "delete"]] as const
) {
  Deno.test(`a node that ${what} is off the broker, however many renewals are under way`, async () => {
    const { call, root } = hub();
    for (let round = 0; round < ROUNDS; round++) {
      const { id, agent, nc } = await connectedNode(`${what} ${round}`);
      // Renewals at every moment of it; those that come first are given.
      const early = [agent.ask(), agent.ask()];
      if (round % 2) await early[0];
      const shutting = shutOut === "reset"
        ? call("POST", "/recover/node", { token: root, body: { id } })
        : call("DELETE", `/node/${id}`, { token: root });
      const late = Array.from({ length: 6 }, agent.ask);
      assert.equal((await shutting).status, 200);
      await waitFor(() => !nc.connected, { what: "the broker to close the connection" });
      await nc.close();
      const answers = await Promise.all([...early, ...late]);
      const given = answers.filter(({ status }) => status === 200);
      assert.ok(answers.every(({ status }) => [200, 401, 404, 429].includes(status)));
      for (const { body: { nats_url, jwt } } of given) {
        await assert.rejects(tryLogin(nats_url, agent, jwt), /AUTHORIZATION|AUTHENTICATION/i);
      }
      assert.equal((await agent.ask()).status, 401);
    }
  });
}

Deno.test("an agent of before gets no credential, but is told what to do", async () => {
  const { call, root } = hub();
  const collaboration_id = await newCollaboration("Old agents");
  const { body: node } = await call("POST", "/node", { token: root, body: { collaboration_id } });
  const { token } = await logIn(node.api_key);
  const { publicKey: public_key } = newUserKey();
  for (const protocol of [undefined, 2]) {
    const asked = { token, body: { public_key, protocol } };
    const { status, body } = await call("POST", "/token/broker", asked);
    assert.equal(status, 400);
    assert.match(body.msg, /update the agent to version/);
  }
});

Deno.test("a node's token of the same second as the reset of its key gets nothing, the next key's does", async () => {
  const { call, root } = hub();
  const collaboration_id = await newCollaboration("Of the same second");
  const { body: node } = await call("POST", "/node", { token: root, body: { collaboration_id } });
  let api_key: string = node.api_key;
  let sameSecond = 0;
  for (let round = 0; round < 8; round++) {
    const old = await logIn(api_key);
    const reset = await call("POST", "/recover/node", { token: root, body: { id: node.id } });
    api_key = reset.body.api_key;
    const second = JSON.parse(atob(old.token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/")));
    if (second.iat === Math.floor(Date.now() / 1000)) sameSecond++;
    assert.equal((await old.ask()).status, 401);
    assert.equal((await call("GET", `/node/${node.id}`, { token: old.token })).status, 401);
    const next = await logIn(api_key);
    await next.credential();
    assert.equal((await call("GET", `/node/${node.id}`, { token: next.token })).status, 200);
  }
  assert.ok(sameSecond > 0, "some resets are in the second of the log-in");
});
