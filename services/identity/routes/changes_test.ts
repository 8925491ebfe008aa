import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { PASSWORD, type TestHub, useTestHub } from "../../../tests/support/hub.ts";
import { DEFAULT_ROLES, ruleName, RULES } from "../rights/catalogue.ts";

const hub = useTestHub();
let serial = 0;

/** Ids of default roles, in the order of their creation. */
const ROLE = Object.fromEntries(DEFAULT_ROLES.map(({ name }, index) => [name, index + 1]));
const ruleId = (name: string) => RULES.find((rule) => ruleName(rule) === name)!.id;

async function newOrganization({ call, root }: TestHub): Promise<number> {
  const body = { name: `organization ${++serial}` };
  const { status, body: made } = await call("POST", "/organization", { token: root, body });
  assert.equal(status, 201);
  return made.id;
}

interface NewUser {
  organization_id?: number;
  roles?: number[];
  rules?: number[];
}

async function newUser({ call, root, login }: TestHub, given: NewUser = {}) {
  const username = `user${++serial}`;
  const body = {
    username,
    password: PASSWORD,
    email: `${username}@x.example`,
    firstname: "First",
    lastname: "Last",
    ...given,
  };
  const made = await call("POST", "/user", { token: root, body });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return { id: made.body.id as number, username, token: await login(username) };
}

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const KEY = btoa(pair.publicKey.export({ type: "spki", format: "pem" }) as string);
const PRIVATE_KEY = btoa(pair.privateKey.export({ type: "pkcs8", format: "pem" }) as string);
const CURVE = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" });

function sessions({ db }: TestHub, userId: number) {
  return db.identity`select id from session where client_type = 'user' and client_id = ${userId}`;
}

Deno.test("PATCH /organization changes what is given; null leaves alone; keeps the key exactly", async () => {
  const { call, root } = hub();
  const id = 1; // one's own, whose key one may change
  const public_key = KEY;
  const changed = await call("PATCH", `/organization/${id}`, {
    token: root,
    body: { country: "NL", public_key, domain: null, unknown_key: 1 },
  });
  assert.equal(changed.status, 200);
  assert.equal(changed.body.country, "NL");
  assert.equal(changed.body.public_key, public_key);
  assert.equal(changed.body.domain, "");
  assert.deepEqual((await call("GET", `/organization/${id}`, { token: root })).body, changed.body);
});

Deno.test("PATCH /organization: members alone change the public key, whatever somebody else's scope", async () => {
  const { call, root, db } = hub();
  const [own, partner] = [await newOrganization(hub()), await newOrganization(hub())];
  const collaboration = { name: `c${own}`, organization_ids: [own, partner], encrypted: true };
  await call("POST", "/collaboration", { token: root, body: collaboration });
  const roles = [ROLE["Collaboration Admin"]!];
  const admin = await newUser(hub(), { organization_id: own, roles });
  const member = await newUser(hub(), {
    organization_id: partner,
    roles: [ROLE["Organization Admin"]!],
  });
  const path = `/organization/${partner}`;
  const body = { country: "NL", public_key: KEY };
  for (const token of [root, admin.token]) {
    for (const public_key of [body.public_key, ""]) {
      const refused = await call("PATCH", path, { token, body: { ...body, public_key } });
      assert.equal(refused.status, 401);
      assert.equal(refused.body.msg, "Only members of an organization can update its public key!");
    }
  }
  const { body: stored } = await call("GET", path, { token: root });
  assert.deepEqual([stored.public_key, stored.country], ["", ""], "nothing of it is stored");
  for (const token of [root, admin.token]) {
    const without = { country: "NL", public_key: null };
    assert.equal((await call("PATCH", path, { token, body: without })).status, 200);
  }
  assert.equal((await call("PATCH", path, { token: member.token, body })).status, 200);
  const [record] = await db.identity`
    select who_id, data from audit where object = 'organization' and object_id = ${partner}
      and outcome = 'done' and data ? 'public_key'`;
  assert.equal(record!.who_id, member.id);
  assert.match((record!.data as { public_key: string }).public_key, /^sha256:[0-9a-f]{64}$/);
});

Deno.test("POST /organization takes a public key from whoever makes the organization", async () => {
  const { call, root } = hub();
  const body = { name: `organization ${++serial}`, public_key: KEY };
  const made = await call("POST", "/organization", { token: root, body });
  assert.deepEqual([made.status, made.body.public_key], [201, body.public_key]);
});

Deno.test("PATCH /organization refuses duplicates, numbers as names and keys that are no base64", async () => {
  const { call, root } = hub();
  const id = await newOrganization(hub());
  // A megabyte of key would be in every answer that shows the organization, and no message between
  // services could hold it.
  const large = { public_key: btoa("k".repeat(2 ** 19)) };
  const keys = [PRIVATE_KEY, btoa("a key"), btoa(CURVE as string), KEY.slice(0, -8)];
  for (
    const body of [
      { name: "root" },
      { name: "123" },
      { public_key: "-----BEGIN" },
      large,
      ...keys.map((public_key) => ({ public_key })),
    ]
  ) {
    const { status } = await call("PATCH", `/organization/${id}`, { token: root, body });
    assert.equal(status, 400, JSON.stringify(body));
  }
  assert.equal(
    (await call("PATCH", "/organization/999999", { token: root, body: {} })).status,
    404,
  );
});

Deno.test("DELETE /organization reads delete_dependents as a boolean", async () => {
  const { call, root } = hub();
  const id = await newOrganization(hub());
  const user = await newUser(hub(), { organization_id: id });
  for (const flag of ["", "?delete_dependents=False", "?delete_dependents=0"]) {
    const refused = await call("DELETE", `/organization/${id}${flag}`, { token: root });
    assert.equal(refused.status, 400, flag);
    assert.match(refused.body.msg, /1 users/);
  }
  const gone = await call("DELETE", `/organization/${id}?delete_dependents=True`, { token: root });
  assert.equal(gone.status, 200);
  assert.equal((await call("GET", `/user/${user.id}`, { token: root })).status, 404);
  assert.equal((await call("GET", "/user/1", { token: user.token })).status, 401);
  assert.equal((await sessions(hub(), user.id)).length, 0);
});

Deno.test("DELETE /organization counts what other services hold, and never one's own", async () => {
  const { call, root } = hub();
  const id = await newOrganization(hub());
  const collaboration = await call("POST", "/collaboration", {
    token: root,
    body: { name: `c${id}`, organization_ids: [id], encrypted: false },
  });
  const body = { organization_id: id, collaboration_id: collaboration.body.id, name: `n${id}` };
  assert.equal((await call("POST", "/node", { token: root, body })).status, 201);
  const refused = await call("DELETE", `/organization/${id}`, { token: root });
  assert.equal(refused.status, 400);
  assert.match(refused.body.msg, /1 nodes/);
  assert.equal((await call("DELETE", "/organization/1", { token: root })).status, 400);
});

Deno.test("PATCH /user changes names; user name only by oneself; password and own rights never", async () => {
  const { call, root } = hub();
  const { id, token } = await newUser(hub(), { roles: [ROLE.Viewer!] });
  const patch = (who: string, body: unknown) => call("PATCH", `/user/${id}`, { token: who, body });
  const changed = await patch(root, { firstname: "New", lastname: null, organization_id: 77 });
  assert.deepEqual([changed.status, changed.body.firstname, changed.body.lastname], [
    200,
    "New",
    "Last",
  ]);
  assert.equal(changed.body.organization.id, 1, "CVE-2023-22738: nobody moves to another one");
  assert.equal((await patch(root, { username: `other${id}` })).status, 400);
  assert.equal((await patch(token, { username: `own${id}` })).body.username, `own${id}`);
  assert.equal((await patch(token, { username: "root" })).status, 400);
  assert.equal((await patch(root, { password: PASSWORD })).status, 400);
  assert.equal((await patch(token, { roles: [ROLE.Root!] })).status, 401);
  assert.equal((await patch(token, { rules: [] })).status, 401);
  assert.equal((await patch(root, { roles: [9999] })).status, 404);
  assert.equal((await patch(root, { rules: [9999] })).status, 404);
});

Deno.test("PATCH /user neither gives nor takes what the caller does not hold", async () => {
  const { call } = hub();
  const admin = await newUser(hub(), { roles: [ROLE["Organization Admin"]!] });
  const powerful = await newUser(hub(), { roles: [ROLE.Researcher!] });
  const patch = (body: unknown) =>
    call("PATCH", `/user/${powerful.id}`, { token: admin.token, body });
  assert.equal((await patch({ roles: [] })).status, 401, "takes task:CREATE:COLLABORATION");
  assert.equal((await patch({ roles: [ROLE.Researcher!, ROLE.Root!] })).status, 401);
  assert.equal((await patch({ rules: [ruleId("task:CREATE:GLOBAL")] })).status, 401);
  const both = { roles: [ROLE.Researcher!, ROLE.Viewer!] };
  assert.equal((await patch(both)).status, 200, "what stays is not asked about");
});

Deno.test("PATCH /user: a demoted user has less at the very next request, with the log-in they have", async () => {
  const { call, root } = hub();
  const user = await newUser(hub(), { roles: [ROLE.Viewer!] });
  const patch = (body: unknown) => call("PATCH", `/user/${user.id}`, { token: root, body });
  await patch({ roles: [ROLE.Researcher!] });
  assert.equal((await sessions(hub(), user.id)).length, 1);
  const status = async (path: string) => (await call("GET", path, { token: user.token })).status;
  assert.equal(await status("/task"), 200);
  await patch({ roles: [] });
  assert.equal(await status("/task"), 401);
  assert.equal(await status("/rule"), 200);
  assert.equal((await sessions(hub(), user.id)).length, 1);
});

Deno.test("PATCH /user: an address set by somebody with fewer rights does not recover the account", async () => {
  const { call, mails } = hub();
  const admin = await newUser(hub(), { roles: [ROLE["Organization Admin"]!] });
  const powerful = await newUser(hub(), { roles: [ROLE.Researcher!] });
  const email = `thief${powerful.id}@x.example`;
  const changed = await call("PATCH", `/user/${powerful.id}`, {
    token: admin.token,
    body: { email },
  });
  assert.equal(changed.status, 200);
  await call("POST", "/recover/lost", { body: { email } });
  assert.equal((await mails()).filter((mail) => mail.to === email).length, 0);
});

Deno.test("PATCH /user: one's own e-mail address changes with the password only, another's by right", async () => {
  const { call, root, db } = hub();
  const { id, token, username } = await newUser(hub(), { roles: [ROLE.Viewer!] });
  const patch = (who: string, body: unknown) => call("PATCH", `/user/${id}`, { token: who, body });
  const addressNow = async () =>
    (await call("GET", `/user/${id}`, { token: root })).body.email as string;
  const email = `other-${username}@x.example`;
  // As v6's client sends it; it shows the user this text.
  const bare = await patch(token, { firstname: "New", email });
  assert.equal(bare.status, 400);
  assert.match(bare.body.msg, /without your password.*current_password/);
  assert.equal((await patch(token, { email, current_password: "Wrong-password-1" })).status, 401);
  const [failed] = await db.identity`select failed_login_attempts from "user" where id = ${id}`;
  assert.equal(failed!.failed_login_attempts, 1, "it counts as a failed log-in");
  assert.equal(await addressNow(), `${username}@x.example`);
  const same = await patch(token, { firstname: "New", email: `${username}@x.example` });
  assert.equal(same.status, 200, "the address is not changed");
  assert.equal((await patch(token, { email, current_password: PASSWORD })).status, 200);
  assert.equal(await addressNow(), email);
  assert.equal((await patch(root, { email: `third-${username}@x.example` })).status, 200);
});

Deno.test("rights over a partner's users open nothing where only the partner works", async () => {
  const { call, root, mails } = hub();
  const [own, partner, third] = [
    await newOrganization(hub()),
    await newOrganization(hub()),
    await newOrganization(hub()),
  ];
  const collaborate = (name: string, organization_ids: number[]) =>
    call("POST", "/collaboration", {
      token: root,
      body: { name, organization_ids, encrypted: true },
    });
  await collaborate("both", [own, partner]);
  const admin = await newUser(hub(), {
    organization_id: own,
    roles: [ROLE["Collaboration Admin"]!],
    rules: [ruleId("role:EDIT:COLLABORATION")],
  });
  const member = await newUser(hub(), { organization_id: partner, roles: [ROLE.Viewer!] });
  const make = (roles: number[], rules: number[] = []) => {
    const username = `made${++serial}`;
    const person = { username, password: PASSWORD, email: `${username}@x.example` };
    const body = { ...person, firstname: "F", lastname: "L", organization_id: partner };
    return call("POST", "/user", { token: admin.token, body: { ...body, roles, rules } });
  };
  const patch = (body: unknown) =>
    call("PATCH", `/user/${member.id}`, { token: admin.token, body });
  assert.equal((await make([ROLE.Viewer!])).status, 201, "all that the partner does is shared");
  await collaborate("not for the first", [partner, third]);
  assert.equal((await make([ROLE["Collaboration Admin"]!])).status, 401);
  const refused = await make([ROLE.Viewer!]);
  assert.equal(refused.status, 401);
  assert.match(
    refused.body.msg,
    new RegExp(
      `organization ${partner}, which also works in collaborations that yours has no part in.*` +
        `node:VIEW:ORGANIZATION.*An administrator of organization ${partner}, or of this server`,
    ),
  );
  assert.equal((await make([], [ruleId("user:EDIT:OWN")])).status, 201);
  assert.equal((await patch({ roles: [ROLE.Viewer!, ROLE.Researcher!] })).status, 401);
  assert.equal((await patch({ firstname: "New", roles: [ROLE.Viewer!] })).status, 200);
  assert.equal((await patch({ roles: [] })).status, 200, "what is taken is only less");
  assert.equal(
    (await call("PATCH", `/user/${member.id}`, {
      token: root,
      body: { roles: [ROLE.Viewer!] },
    })).status,
    200,
  );
  const role = { name: `role ${++serial}`, rules: [], organization_id: partner };
  const made = await call("POST", "/role", { token: root, body: role });
  for (
    const [rule, status] of [["task:VIEW:COLLABORATION", 401], ["user:EDIT:OWN", 200]] as const
  ) {
    const body = { rules: [ruleId(rule)] };
    const path = `/role/${made.body.id}`;
    assert.equal((await call("PATCH", path, { token: admin.token, body })).status, status, rule);
  }
  const email = `thief${member.id}@x.example`;
  assert.equal((await patch({ email })).status, 200);
  await call("POST", "/recover/lost", { body: { email } });
  assert.equal((await mails()).filter((mail) => mail.to === email).length, 0);
});

Deno.test("nobody makes a member of another organization who sets its public key", async () => {
  const { call, root, mails } = hub();
  const [own, partner] = [await newOrganization(hub()), await newOrganization(hub())];
  const collaboration = { name: `c${own}`, organization_ids: [own, partner], encrypted: true };
  await call("POST", "/collaboration", { token: root, body: collaboration });
  const admin = await newUser(hub(), {
    organization_id: own,
    roles: [ROLE["Collaboration Admin"]!],
    rules: [ruleId("role:EDIT:COLLABORATION")],
  });
  const theirs = await newUser(hub(), {
    organization_id: partner,
    roles: [ROLE["Organization Admin"]!],
  });
  const viewer = await newUser(hub(), { organization_id: partner, roles: [ROLE.Viewer!] });
  const make = (token: string, given: object, organization_id = partner) => {
    const username = `made${++serial}`;
    const person = { username, password: PASSWORD, email: `${username}@x.example` };
    const body = { ...person, firstname: "F", lastname: "L", organization_id, ...given };
    return call("POST", "/user", { token, body });
  };
  const refusal = new RegExp(
    `organization:EDIT:.*in organization ${partner}: whoever has that sets the organization's ` +
      `public key.*An administrator of organization ${partner}, or of this server, can give it`,
  );
  const key = { rules: [ruleId("organization:EDIT:ORGANIZATION")] };
  const ofTheirs = await call("POST", "/role", {
    token: root,
    body: { name: `role ${++serial}`, rules: [], organization_id: partner },
  });
  for (
    const [what, answer] of [
      ["a new administrator", await make(admin.token, { roles: [ROLE["Organization Admin"]] })],
      ["a new collaboration's", await make(admin.token, { roles: [ROLE["Collaboration Admin"]] })],
      ["the rule alone", await make(admin.token, key)],
      [
        "an earlier user",
        await call("PATCH", `/user/${viewer.id}`, { token: admin.token, body: key }),
      ],
      [
        "a role of theirs",
        await call("PATCH", `/role/${ofTheirs.body.id}`, { token: admin.token, body: key }),
      ],
    ] as const
  ) {
    assert.equal(answer.status, 401, what);
    assert.match(answer.body.msg, refusal, what);
  }
  const email = `thief${theirs.id}@x.example`;
  const path = `/user/${theirs.id}`;
  assert.equal((await call("PATCH", path, { token: admin.token, body: { email } })).status, 200);
  await call("POST", "/recover/lost", { body: { email } });
  assert.equal((await mails()).filter((mail) => mail.to === email).length, 0);

  assert.equal((await make(admin.token, { roles: [ROLE.Researcher] })).status, 201);
  assert.equal((await make(admin.token, key, own)).status, 201, "in one's own organization");
  for (const token of [root, theirs.token]) {
    assert.equal((await make(token, { roles: [ROLE["Organization Admin"]] })).status, 201);
  }
});

Deno.test("DELETE /user ends log-ins; refuses creators of tasks unless dependents go too", async () => {
  const { call, root, db } = hub();
  const user = await newUser(hub(), { roles: [ROLE.Viewer!] });
  await db.task`
    insert into task (job_id, name, description, image, collaboration_id, init_org_id, init_user_id)
    values (1, 't', '', 'i', 1, 1, ${user.id})`;
  assert.equal((await call("DELETE", `/user/${user.id}`, { token: root })).status, 400);
  const gone = await call("DELETE", `/user/${user.id}?delete_dependents=true`, { token: root });
  assert.equal(gone.status, 200);
  assert.equal((await call("DELETE", `/user/${user.id}`, { token: root })).status, 404);
  assert.equal((await call("GET", "/task", { token: user.token })).status, 401);
  assert.equal((await sessions(hub(), user.id)).length, 0);
});

Deno.test("POST /role, PATCH /role: nulls leave alone, default names and roles are fixed", async () => {
  const { call, root } = hub();
  const rules = [ruleId("task:VIEW:COLLABORATION"), ruleId("run:VIEW:COLLABORATION")];
  const made = await call("POST", "/role", { token: root, body: { name: "Steward", rules } });
  assert.equal(made.status, 201);
  assert.deepEqual(made.body, {
    id: made.body.id,
    name: "Steward",
    description: "",
    is_default_role: false,
    rules: `/api/rule?role_id=${made.body.id}`,
    users: `/api/user?role_id=${made.body.id}`,
    organization: {
      id: 1,
      link: "/api/organization/1",
      methods: ["GET", "PATCH", "DELETE"],
    },
  });
  const patch = (id: number, body: unknown) => call("PATCH", `/role/${id}`, { token: root, body });
  const nulls = await patch(made.body.id, { name: "Keeper", description: null, rules: null });
  assert.deepEqual([nulls.status, nulls.body.name], [200, "Keeper"]);
  const listed = await call("GET", `/rule?role_id=${made.body.id}`, { token: root });
  assert.equal(listed.body.data.length, 2);
  assert.equal((await patch(made.body.id, { organization_id: 2 })).status, 400);
  assert.equal((await patch(made.body.id, { rules: [9999] })).status, 404);
  assert.equal((await patch(made.body.id, { name: "Root" })).status, 400);
  assert.equal((await patch(ROLE.Viewer!, { name: "x" })).status, 400);
  assert.equal((await call("DELETE", `/role/${ROLE.Viewer}`, { token: root })).status, 400);
  for (
    const [body, status] of [
      [{ name: "Viewer", rules }, 400],
      [{ name: "x" }, 400],
      [{ name: "x", rules: [9999] }, 404],
      [{ name: "x", rules, organization_id: 9999 }, 404],
    ] as const
  ) {
    const refused = await call("POST", "/role", { token: root, body });
    assert.deepEqual([refused.status, typeof refused.body.msg], [status, "string"]);
  }
});

Deno.test("POST and DELETE /role/{id}/rule answer the rules, once each, and demand that one holds them", async () => {
  const { call, root } = hub();
  const admin = await newUser(hub(), { roles: [ROLE["Organization Admin"]!] });
  const view = ruleId("task:VIEW:COLLABORATION");
  const create = ruleId("task:CREATE:COLLABORATION");
  const made = await call("POST", "/role", { token: root, body: { name: "r", rules: [view] } });
  const path = (rule: number) => `/role/${made.body.id}/rule/${rule}`;
  for (let i = 0; i < 2; i++) {
    const added = await call("POST", path(create), { token: root });
    assert.equal(added.status, 201);
    assert.deepEqual(added.body.map((rule: { id: number }) => rule.id), [view, create].sort());
  }
  assert.equal((await call("DELETE", path(create), { token: admin.token })).status, 401);
  const taken = await call("DELETE", path(create), { token: root });
  assert.deepEqual(taken.body.map((rule: { id: number }) => rule.id), [view]);
  assert.equal((await call("POST", path(create), { token: admin.token })).status, 401);
  assert.equal((await call("POST", path(9999), { token: root })).status, 404);
  assert.equal((await call("POST", `/role/${ROLE.Viewer}/rule/1`, { token: root })).status, 400);
});

Deno.test("DELETE /role keeps an assigned role unless told to, and works on the next request", async () => {
  const { call, root } = hub();
  const rules = [ruleId("user:VIEW:ORGANIZATION")];
  const made = await call("POST", "/role", { token: root, body: { name: "d", rules } });
  const user = await newUser(hub(), { roles: [made.body.id] });
  const list = () => call("GET", "/user?firstname=First", { token: user.token });
  assert.equal((await list()).status, 200);
  const path = `/role/${made.body.id}`;
  assert.equal(
    (await call("DELETE", `${path}?delete_dependents=False`, { token: root })).status,
    400,
  );
  assert.equal((await call("DELETE", `${path}?delete_dependents=1`, { token: root })).status, 200);
  assert.equal((await list()).status, 401);
  assert.equal((await sessions(hub(), user.id)).length, 1);
});

Deno.test("POST /token/user/validate tells whose token it is", async () => {
  const { call } = hub();
  const { id, username, token } = await newUser(hub());
  const { status, body } = await call("POST", "/token/user/validate", { token });
  const email = `${username}@x.example`;
  assert.deepEqual([status, body], [200, {
    msg: body.msg,
    user_id: id,
    username,
    email,
    organization_id: 1,
  }]);
  assert.equal((await call("POST", "/token/user/validate")).status, 401);
  assert.equal((await call("POST", "/token/user/validate", { token: "x.y.z" })).status, 422);
});

Deno.test("PATCH /organization takes the first public key from a node of it, and no other one", async () => {
  const { call, root } = hub();
  const post = async (path: string, body: unknown) => {
    const made = await call("POST", path, { token: root, body });
    assert.ok(made.status < 300, JSON.stringify(made.body));
    return made.body;
  };
  const { id } = await post("/organization", { name: `organization ${++serial}` });
  const collaboration = await post("/collaboration", {
    name: `collaboration ${++serial}`,
    organization_ids: [id],
    encrypted: true,
  });
  const node = { organization_id: id, collaboration_id: collaboration.id };
  const { api_key } = await post("/node", node);
  const { body: { access_token: token } } = await call("POST", "/token/node", {
    body: { api_key },
  });
  const patch = (public_key: string) =>
    call("PATCH", `/organization/${id}`, { token, body: { public_key } });
  assert.equal((await patch(KEY)).status, 200);
  assert.equal((await patch(KEY)).status, 200, "the same again");
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
  for (const key of [btoa(other.export({ type: "spki", format: "pem" }) as string), ""]) {
    const refused = await patch(key);
    assert.equal(refused.status, 401);
    assert.match(refused.body.msg, /A node does not change the public key of its organization/);
  }
  const { body } = await call("GET", `/organization/${id}`, { token: root });
  assert.equal(body.public_key, KEY);
});
