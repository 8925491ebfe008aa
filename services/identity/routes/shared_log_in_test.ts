/**
 * Log-ins as v6's own client lives with them (`common/client/client_base.py` of vantage6-common
 * 4.15.2): after every call that fails it refreshes, with "Authentication Error!" when that fails,
 * and repeats the call once. A program that forks has the same tokens in each process.
 */
import assert from "node:assert/strict";
import { PASSWORD, useTestHub } from "../../../tests/support/hub.ts";

const hub = useTestHub();
const VIEWER = 4;
let serial = 0;

interface Tokens {
  access_token: string;
  refresh_token: string;
}

/** A client as v6's, with tokens of its own from here on. */
function stockClient(given: Tokens) {
  let tokens = { ...given };
  const send = (method: string, path: string, body?: unknown) =>
    hub().call(method, path, { token: tokens.access_token, body });
  return {
    async request(method: string, path: string, body?: unknown) {
      const first = await send(method, path, body);
      if (first.status <= 210) return first;
      const refreshed = await hub().call("POST", "/token/refresh", { token: tokens.refresh_token });
      if (refreshed.status !== 200) throw new Error("Authentication Error!");
      tokens = refreshed.body;
      return await send(method, path, body);
    },
    tokens: () => tokens,
    fork: () => stockClient(tokens),
  };
}

async function newUser() {
  const { call, root } = hub();
  const username = `sharing${++serial}`;
  const { body } = await call("POST", "/user", {
    token: root,
    body: {
      username,
      password: PASSWORD,
      email: `${username}@x.example`,
      firstname: "F",
      lastname: "L",
      roles: [VIEWER],
    },
  });
  const logIn = async () =>
    stockClient(
      (await call("POST", "/token/user", { body: { username, password: PASSWORD } })).body,
    );
  return { id: body.id as number, logIn };
}

/** A call that fails fails as itself. */
async function failsAsItself(client: ReturnType<typeof stockClient>): Promise<void> {
  const { status, body } = await client.request("GET", "/task/999999");
  assert.deepEqual([status, body.msg], [404, "There is no task 999999."]);
}

Deno.test("processes that share a log-in go on with it, however often each of their calls fails", async () => {
  const client = await (await newUser()).logIn();
  await failsAsItself(client);
  const forks = [client, client.fork(), client.fork(), client.fork()];
  // The first hour's refreshes spend nothing that the others need in the second.
  for (let hour = 0; hour < 3; hour++) {
    await Promise.all(forks.flatMap((one) => [failsAsItself(one), failsAsItself(one)]));
    hub().advance(3600);
  }
  for (const one of forks) await failsAsItself(one);
  hub().advance(-3 * 3600);
});

Deno.test("a log-in that is refreshed for ever ends after thirty days, for all who share it and all its tokens", async () => {
  const { call, db } = hub();
  const { id, logIn } = await newUser();
  const client = await logIn();
  const [before] = await db.identity`select count(*)::int as sessions from session`;
  const forks = [client, client.fork(), client.fork()];
  for (let day = 0; day < 30; day++) {
    // One token used again and again makes no second log-in, and no longer one.
    await Promise.all(forks.map(failsAsItself));
    hub().advance(86_400);
  }
  const [after] = await db.identity`select count(*)::int as sessions from session`;
  assert.equal(after!.sessions, before!.sessions);
  for (const one of forks) {
    await assert.rejects(one.request("GET", `/user/${id}`), /Authentication Error/);
  }
  assert.equal(
    (await call("GET", `/user/${id}`, { token: client.tokens().access_token })).status,
    401,
  );
  await failsAsItself(await logIn());
  hub().advance(-30 * 86_400);
});

Deno.test("a second notebook of the same user is no trouble to the first", async () => {
  const user = await newUser();
  const notebooks = [await user.logIn(), await user.logIn()];
  for (let round = 0; round < 3; round++) {
    for (const notebook of notebooks) await failsAsItself(notebook);
  }
});

Deno.test("after roles were narrowed a call that is refused says so itself", async () => {
  const { call, root } = hub();
  const { id, logIn } = await newUser();
  const client = await logIn();
  assert.equal((await client.request("GET", "/task")).status, 200);
  await call("PATCH", `/user/${id}`, { token: root, body: { roles: [] } });
  const refused = await client.request("GET", "/task");
  assert.deepEqual([refused.status, refused.body.code], [401, "forbidden"]);
  assert.match(refused.body.msg, /permission to view any task/);
});

Deno.test("after the password was changed its session goes on, and no other", async () => {
  const user = await newUser();
  const [client, other] = [await user.logIn(), await user.logIn()];
  const body = { current_password: PASSWORD, new_password: "Another-password-2" };
  assert.equal((await client.request("PATCH", "/password/change", body)).status, 200);
  await failsAsItself(client);
  await failsAsItself(client.fork());
  await assert.rejects(failsAsItself(other), /Authentication Error/);
});
