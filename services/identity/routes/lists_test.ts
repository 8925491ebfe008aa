import assert from "node:assert/strict";
import { PASSWORD, useTestHub } from "../../../tests/support/hub.ts";

const hub = useTestHub();

/**
 * Two organizations in a collaboration with root's, a third outside; a user in each of the first
 * two.
 */
Deno.test.beforeAll(async () => {
  const { call, root: token } = hub();
  for (const [name, country] of [["Alpha", "NL"], ["Beta", "DE"], ["Gamma", "NL"]]) {
    await call("POST", "/organization", { token, body: { name, country } });
  }
  const body = { name: "Study of hearts", organization_ids: [1, 2, 3], encrypted: false };
  await call("POST", "/collaboration", { token, body });
  for (const [username, organization_id, roles] of [["anna", 2, [5]], ["bert", 3, [4]]]) {
    const person = { username, firstname: "F", lastname: "L", email: `${username}@x.example` };
    const user = { ...person, password: PASSWORD, organization_id, roles, rules: [44] };
    await call("POST", "/user", { token, body: user });
  }
  const role = { name: "Steward", rules: [44], organization_id: 2 };
  await call("POST", "/role", { token, body: role });
});

/** The values of one field of a list, asked for by root. */
async function list(path: string, field = "id") {
  const { call, root } = hub();
  const { status, body } = await call("GET", path, { token: root });
  assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
  return body.data.map((one: Record<string, unknown>) => one[field]);
}

Deno.test("organizations are filtered by name, country, ids, collaboration and study", async () => {
  assert.deepEqual(await list("/organization?name=Al%25"), [2]);
  assert.deepEqual(await list("/organization?name=Al"), [], "no wildcard unless one is sent");
  assert.deepEqual(await list("/organization?country=NL"), [2, 4]);
  assert.deepEqual(await list("/organization?ids=4&ids=1"), [1, 4]);
  assert.deepEqual(await list("/organization?collaboration_id=1"), [1, 2, 3]);
  const { call, root: token } = hub();
  const body = { name: "Pilot", collaboration_id: 1, organization_ids: [3] };
  const study = await call("POST", "/study", { token, body });
  assert.deepEqual(await list(`/organization?study_id=${study.body.id}`), [3]);
});

Deno.test("users are filtered by every documented argument", async () => {
  assert.deepEqual(await list("/user?username=a%25", "username"), ["anna"]);
  assert.deepEqual(await list("/user?email=bert@x.example", "username"), ["bert"]);
  assert.deepEqual(await list("/user?firstname=F&lastname=L", "username"), ["anna", "bert"]);
  assert.deepEqual(await list("/user?organization_id=3", "username"), ["bert"]);
  assert.deepEqual(await list("/user?collaboration_id=1", "username"), ["root", "anna", "bert"]);
  assert.deepEqual(await list("/user?role_id=5", "username"), ["anna"]);
  assert.deepEqual(await list("/user?rule_id=44", "username"), ["anna", "bert"], "direct rules");
  assert.deepEqual(await list("/user?last_seen_from=2020-01-01", "username"), ["root"]);
  assert.deepEqual(await list("/user?last_seen_till=2020-01-01", "username"), []);
});

Deno.test("roles are filtered by every documented argument", async () => {
  assert.deepEqual(await list("/role?name=Root&name=Stew%25", "name"), ["Root", "Steward"]);
  assert.deepEqual(await list("/role?name=R%5Coot&name=%25%5C", "name"), []);
  assert.deepEqual(await list("/role?organization_id=2", "name"), ["Steward"]);
  assert.equal((await list("/role?organization_id=2&include_root=True")).length, 8);
  assert.equal((await list("/role?organization_id=2&include_root=False")).length, 1);
  assert.deepEqual(await list("/role?collaboration_id=1", "name"), ["Steward"]);
  assert.deepEqual(await list("/role?user_id=2", "name"), ["Researcher"]);
  assert.ok((await list("/role?rule_id=44", "name")).includes("Steward"));
});

Deno.test("rules are filtered, by long and short words alike, and come whole on request", async () => {
  assert.deepEqual(await list("/rule?name=node&operation=VIEW&scope=GLOBAL"), [1]);
  assert.deepEqual(await list("/rule?name=node&operation=v&scope=glo"), [1]);
  assert.deepEqual(await list("/rule?name=node&operation=view&scope=global"), [1]);
  assert.equal((await list("/rule?no_pagination=1&per_page=5")).length, 86);
  assert.equal((await list("/rule")).length, 86);
  assert.equal((await list("/rule?role_id=2")).length, 8);
  assert.equal((await list("/rule?user_id=2")).length, 17, "through roles and directly, once each");
});

Deno.test("pages, links and headers are the contract's", async () => {
  const { call, root: token } = hub();
  const { body, headers } = await call("GET", "/rule?per_page=3&page=2", { token });
  assert.deepEqual(body.data.map((rule: { id: number }) => rule.id), [4, 5, 6]);
  assert.deepEqual(body.links, {
    first: "/api/rule?per_page=3&page=1",
    previous: "/api/rule?per_page=3&page=1",
    self: "/api/rule?per_page=3&page=2",
    next: "/api/rule?per_page=3&page=3",
    last: "/api/rule?per_page=3&page=29",
  });
  assert.equal(headers.get("total-count"), "86");
  assert.ok(headers.get("link")!.startsWith("</api/rule?per_page=3&page=1>; rel=first,"));
  const past = await call("GET", "/rule?page=100", { token });
  assert.deepEqual([past.status, past.body.data], [200, []]);
  const none = await call("GET", "/user?username=nobody&page=1", { token });
  assert.deepEqual(Object.keys(none.body.links), ["first", "self"]);
});

Deno.test("lists sort by the columns they have, and refuse others", async () => {
  const { call, root: token } = hub();
  assert.deepEqual(await list("/organization?sort=-name", "name"), [
    "root",
    "Gamma",
    "Beta",
    "Alpha",
  ]);
  assert.deepEqual(await list("/organization?sort=country,-id"), [1, 3, 4, 2]);
  for (const path of ["/user?sort=password_hash", "/organization?sort=id;drop", "/role?page=0"]) {
    assert.equal((await call("GET", path, { token })).status, 400, path);
  }
  for (const path of ["/user?role_id=999", "/user?rule_id=999", "/role?rule_id=999"]) {
    assert.equal((await call("GET", path, { token })).status, 400, "names what is not there");
  }
});

Deno.test("lists are narrowed to what the caller may see; a filter beyond that is refused", async () => {
  const { call, login } = hub();
  const token = await login("anna");
  const ids = async (path: string) => {
    const { status, body } = await call("GET", path, { token });
    return status === 200 ? body.data.map((one: { id: number }) => one.id) : status;
  };
  assert.deepEqual(await ids("/organization"), [1, 2, 3]);
  assert.deepEqual(await ids("/user"), [2]);
  assert.equal(await ids("/user?organization_id=3"), 401);
  assert.equal(await ids("/user?collaboration_id=1"), 401);
  assert.equal(await ids("/role?organization_id=3"), 401);
  assert.deepEqual(await ids("/role"), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal((await call("GET", "/organization/4", { token })).status, 401);
  assert.equal((await call("GET", "/organization/999", { token })).status, 404);
  for (const path of ["/organization/abc", "/organization/-1", "/organization/", "/user/1.5"]) {
    assert.equal((await call("GET", path, { token })).status, 404, path);
  }
});

Deno.test("a filter shows nothing of another tenant, whatever stands beside it", async () => {
  const { call, login, root } = hub();
  const make = (path: string, body: unknown) => call("POST", path, { token: root, body });
  const foreign = { name: "Foreign", organization_ids: [3, 4], encrypted: false };
  const { body: { id: elsewhere } } = await make("/collaboration", foreign);
  const shared = { name: "Shared", collaboration_id: 1, organization_ids: [2, 3] };
  const { body: { id: study } } = await make("/study", shared);
  const role = { name: "Keeper", rules: [44], organization_id: 3 };
  const { body: { id: keeper } } = await make("/role", role);
  const token = await login("anna");
  const expected = {
    [`/organization?study_id=${study}`]: 200,
    [`/organization?study_id=${study}&collaboration_id=1`]: 200,
    [`/organization?study_id=${study}&collaboration_id=${elsewhere}`]: 401,
    "/rule?user_id=2": 200,
    "/rule?user_id=3": 401,
    "/rule?user_id=999": 400,
    "/rule?role_id=1": 200,
    "/rule?role_id=8": 200,
    [`/rule?role_id=${keeper}`]: 401,
    "/rule?role_id=999": 400,
  };
  for (const [path, status] of Object.entries(expected)) {
    assert.equal((await call("GET", path, { token })).status, status, path);
  }
});
