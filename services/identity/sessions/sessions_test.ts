import assert from "node:assert/strict";
import { newUserKey } from "../../../shared/broker/signing.ts";
import { NODE_PROTOCOL } from "../../../shared/node_protocol/reports.ts";
import { waitFor } from "../../../tests/harness.ts";
import { PASSWORD, useTestHub } from "../../../tests/support/hub.ts";

const hub = useTestHub();
let serial = 0;

async function newUser(): Promise<string> {
  const { call, root } = hub();
  const username = `racer${++serial}`;
  const made = await call("POST", "/user", {
    token: root,
    body: {
      username,
      password: PASSWORD,
      email: `${username}@x.example`,
      firstname: "F",
      lastname: "L",
      roles: [4],
    },
  });
  assert.equal(made.status, 201);
  return username;
}

function logIn(username: string) {
  return hub().call("POST", "/token/user", { body: { username, password: PASSWORD } });
}

const refresh = (token: string) => hub().call("POST", "/token/refresh", { token });

/** How many of these answers hold a token that still works. */
async function alive(answers: { status: number; body: Partial<Record<string, string>> }[]) {
  let count = 0;
  for (const { status, body } of answers) {
    if (status !== 200) continue;
    const works = (await refresh(body.refresh_token!)).status === 200 ||
      (await hub().call("GET", "/rule", { token: body.access_token })).status === 200;
    if (works) count++;
  }
  return count;
}

Deno.test("who logs out is out, also where the log-in is refreshed at the same time", async () => {
  const username = await newUser();
  for (let round = 0; round < 5; round++) {
    const { refresh_token } = (await logIn(username)).body;
    const tenTimes = () => Array.from({ length: 10 }, () => refresh(refresh_token));
    const first = tenTimes();
    await first[0];
    const then = tenTimes();
    assert.equal(
      (await hub().call("DELETE", "/token/refresh", { token: refresh_token })).status,
      200,
    );
    assert.equal(await alive(await Promise.all([...first, ...then])), 0);
  }
});

Deno.test("a new password ends log-ins with the old one, also those under way", async () => {
  for (let round = 0; round < 3; round++) {
    const username = await newUser();
    const own = (await logIn(username)).body;
    const other = (await logIn(username)).body.refresh_token;
    const changing = hub().call("PATCH", "/password/change", {
      token: own.access_token,
      body: { current_password: PASSWORD, new_password: "Changed-password-1" },
    });
    let changed = false;
    changing.finally(() => changed = true);
    const underWay: ReturnType<typeof logIn>[] = [];
    // So many are under way at any moment, the one of the change too. Without a bound a slow
    // machine has thousands.
    const keepTrying = async (attempt: () => ReturnType<typeof logIn>) => {
      while (!changed) {
        const answer = attempt();
        underWay.push(answer);
        await answer;
      }
    };
    await Promise.all(
      Array.from({ length: 8 }, () => [
        keepTrying(() => logIn(username)),
        keepTrying(() => refresh(other)),
      ]).flat(),
    );
    assert.equal((await changing).status, 200);
    assert.equal(await alive(await Promise.all(underWay)), 0);
  }
});

Deno.test("a node that has a new key gets nothing for what it had before, also if nobody shut it out yet", async () => {
  const { call, root, db } = hub();
  const collaboration = await call("POST", "/collaboration", {
    token: root,
    body: { name: "C", organization_ids: [1], encrypted: false },
  });
  const { body: { id, api_key } } = await call("POST", "/node", {
    token: root,
    body: { collaboration_id: collaboration.body.id },
  });
  const { access_token, refresh_token } =
    (await call("POST", "/token/node", { body: { api_key } })).body;
  const next = (await refresh(refresh_token)).body.refresh_token;
  const { apps } = hub();
  /** As a request that the gateway has let through arrives here. */
  async function askForCredential(): Promise<number> {
    const request = new Request("http://identity/api/token/broker", {
      method: "POST",
      headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json" },
      body: JSON.stringify({ public_key: newUserKey().publicKey, protocol: NODE_PROTOCOL }),
    });
    const principal = {
      kind: "node",
      id,
      organization_id: 1,
      collaboration_id: collaboration.body.id,
      rules: [],
      collaborations: [],
    };
    return (await apps.identity.fetch(request, { principal })).status;
  }
  assert.equal(await askForCredential(), 200);
  await db.collaboration`
    update node set key_generation = key_generation + 1 where id = ${id}`;
  const { status, body } = await refresh(next);
  assert.equal(status, 401);
  assert.match(body.msg, /new API key/);
  assert.equal(await askForCredential(), 401);
});

Deno.test("a node's log-in with a key that is replaced meanwhile gets nothing that is good", async () => {
  const { call, root, apps, db } = hub();
  const { body: collaboration } = await call("POST", "/collaboration", {
    token: root,
    body: { name: "Overlapping", organization_ids: [1], encrypted: false },
  });
  const { body: node } = await call("POST", "/node", {
    token: root,
    body: { collaboration_id: collaboration.id },
  });
  // Log-ins at every moment of a reset: some see the old key, and are answered after it is gone.
  let { api_key } = node;
  for (let round = 0; round < 5; round++) {
    const old = api_key;
    const logInNode = () => call("POST", "/token/node", { body: { api_key: old } });
    const early = await logInNode();
    const resetting = call("POST", "/recover/node", { token: root, body: { id: node.id } });
    const underWay = Array.from({ length: 12 }, logInNode);
    ({ body: { api_key } } = await resetting);
    const answers = [early, ...await Promise.all(underWay)].filter(({ status }) => status === 200);
    for (const { body } of answers) {
      const path = `/node/${node.id}`;
      assert.equal((await call("GET", path, { token: body.access_token })).status, 401);
      assert.equal((await refresh(body.refresh_token)).status, 401);
    }
    const { body: now } = await call("POST", "/token/node", { body: { api_key } });
    assert.equal((await call("GET", `/node/${node.id}`, { token: now.access_token })).status, 200);
  }
  // And one that is held exactly there: the key was looked at, then replaced, then the tokens made.
  const held = await db.collaboration.begin(async (tx) => {
    await tx`lock table node in exclusive mode`;
    const logIn = apps.gateway.fetch(
      new Request("http://hub/api/token/node", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ api_key }),
      }),
      {},
    );
    // It waits at the note of its log-in, which comes after the look-up of the key.
    await waitFor(
      async () =>
        (await db.collaboration`
          select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%update node%'`)
          .length > 0,
      { what: "the log-in to wait" },
    );
    await tx`
      update node set api_key_sha256 = 'another', key_generation = key_generation + 1
      where id = ${node.id}`;
    return { logIn };
  });
  const { access_token, refresh_token } = await (await held.logIn).json();
  assert.equal((await call("GET", `/node/${node.id}`, { token: access_token })).status, 401);
  assert.equal((await refresh(refresh_token)).status, 401);
});
