import assert from "node:assert/strict";
import { PASSWORD, startTestHub, type TestHub } from "../../../tests/support/hub.ts";
import { DEFAULT_ROLES, RULES } from "../rights/catalogue.ts";

const ROOT = DEFAULT_ROLES.findIndex(({ name }) => name === "Root") + 1;
const ALL = RULES.map(({ id }) => id);
const LEFT = /nobody would be left who can administer this server/;

/** Each test takes the hub's administrators away, so each has a hub of its own. */
async function inHub(work: (hub: TestHub) => Promise<void>): Promise<void> {
  const hub = await startTestHub();
  try {
    await work(hub);
  } finally {
    await hub.stop();
  }
}

async function newUser(
  { call, root, login }: TestHub,
  username: string,
  given: { organization_id?: number; roles?: number[]; rules?: number[] },
) {
  const person = { password: PASSWORD, email: `${username}@x.example`, firstname: "F" };
  const body = { username, lastname: "L", ...person, ...given };
  const made = await call("POST", "/user", { token: root, body });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return { id: made.body.id as number, token: await login(username) };
}

Deno.test("the last administrator cannot delete itself; the last but one can", () =>
  inHub(async (hub) => {
    const { call, root } = hub;
    const refused = await call("DELETE", "/user/1?delete_dependents=true", { token: root });
    assert.equal(refused.status, 400);
    assert.match(refused.body.msg, LEFT);
    const second = await newUser(hub, "second", { roles: [ROOT] });
    assert.equal((await call("DELETE", "/user/1", { token: root })).status, 200);
    assert.equal((await call("DELETE", `/user/${second.id}`, { token: second.token })).status, 400);
  }));

Deno.test("two administrators who take each other's rights, or delete each other, at once: one stays", () =>
  inHub(async (hub) => {
    const { call, db, login } = hub;
    let tokens = [hub.root, (await newUser(hub, "second", { roles: [ROOT] })).token];
    const ids = [1, 2];
    const body = { roles: [], rules: [] };
    for (const attempt of ["PATCH", "PATCH", "PATCH", "DELETE"]) {
      const done = await Promise.all([0, 1].map((one) =>
        call(attempt, `/user/${ids[1 - one]}`, {
          token: tokens[one],
          ...(attempt === "PATCH" ? { body } : {}),
        })
      ));
      assert.equal(done.filter(({ status }) => status === 200).length, 1, JSON.stringify(done));
      if (attempt === "DELETE") break;
      for (const id of ids) {
        await db.identity`
          insert into user_role (user_id, role_id) values (${id}, ${ROOT}) on conflict do nothing`;
      }
      tokens = [await login("root", "Root-password-1"), await login("second")];
    }
  }));

Deno.test("a role by which the last administrator can administer keeps its rules, and stays", () =>
  inHub(async (hub) => {
    const { call, root } = hub;
    const role = await call("POST", "/role", { token: root, body: { name: "all", rules: ALL } });
    const { id: roleId } = role.body;
    const other = await newUser(hub, "other", { roles: [roleId] });
    assert.equal((await call("DELETE", "/user/1", { token: other.token })).status, 200);
    const attempts: [string, string, unknown?][] = [
      ["DELETE", `/role/${roleId}?delete_dependents=true`],
      ["DELETE", `/role/${roleId}/rule/${ALL[0]}`],
      ["PATCH", `/role/${roleId}`, { rules: ALL.slice(1) }],
    ];
    for (const [method, path, body] of attempts) {
      const { status, body: answer } = await call(method, path, { token: other.token, body });
      assert.equal(status, 400, `${method} ${path}`);
      assert.match(answer.msg, LEFT);
    }
    const narrower = ALL.filter((id) => RULES[id - 1]!.scope === "GLOBAL");
    const kept = await call("PATCH", `/role/${roleId}`, {
      token: other.token,
      body: { rules: narrower },
    });
    assert.equal(kept.status, 200, "what is left is as wide");
  }));

Deno.test("the organization of the last administrator is not deleted, by whoever may", () =>
  inHub(async (hub) => {
    const { call, root } = hub;
    const body = { name: "elsewhere" };
    const { id: organization_id } =
      (await call("POST", "/organization", { token: root, body })).body;
    const rule = RULES.find(({ name, operation }) =>
      name === "organization" && operation === "DELETE"
    )!;
    const deleter = await newUser(hub, "deleter", { organization_id, rules: [rule.id] });
    const path = "/organization/1?delete_dependents=true";
    const refused = await call("DELETE", path, { token: deleter.token });
    assert.equal(refused.status, 400);
    assert.match(refused.body.msg, LEFT);
    await newUser(hub, "second", { organization_id, roles: [ROOT] });
    assert.equal((await call("DELETE", path, { token: deleter.token })).status, 200);
  }));
