/**
 * The session of a stock client from log-in to result (contract §6.12), request by request as it
 * was recorded, and every answer field by field.
 * @module
 */
import assert from "node:assert/strict";
import { useTestStack } from "./harness.ts";
import { createSite, encodeInput, type Json, type Site } from "./site.ts";

const stack = useTestStack();

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/;

/** What may stand in a place: the value itself, a pattern of text, or a question about it. */
type Expected = unknown | RegExp | ((value: unknown) => boolean);

const anyInteger = Number.isInteger as (value: unknown) => boolean;
const anyText = (value: unknown) => typeof value === "string";
const dateOrNull = (value: unknown) => value === null || DATE.test(String(value));

/**
 * Whether every field of `expected` is there, as expected; further ones do no harm. Says where it
 * differs.
 */
function assertShape(actual: Json, expected: Expected, at = "answer"): void {
  if (expected instanceof RegExp) return assert.match(String(actual), expected, at);
  if (typeof expected === "function") {
    return assert.ok(expected(actual), `${at} is ${JSON.stringify(actual)}`);
  }
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual), `${at} is a list`);
    assert.equal(actual.length, expected.length, `${at} has so many entries`);
    return expected.forEach((one, index) => assertShape(actual[index], one, `${at}[${index}]`));
  }
  if (expected !== null && typeof expected === "object") {
    assert.ok(actual !== null && typeof actual === "object", `${at} is an object`);
    const missing = Object.keys(expected).filter((key) => !Object.hasOwn(actual, key));
    assert.deepEqual(missing, [], `fields that ${at} lacks`);
    for (const [key, one] of Object.entries(expected)) {
      assertShape(actual[key], one, `${at}.${key}`);
    }
    return;
  }
  assert.deepEqual(actual, expected, at);
}

const METHODS: Record<string, string[]> = {
  task: ["GET", "DELETE"],
  run: ["GET", "PATCH"],
  result: ["GET"],
};

function link(noun: string, id: number) {
  const methods = METHODS[noun] ?? ["GET", "PATCH", "DELETE"];
  return { id, link: `/api/${noun}/${id}`, methods };
}

function organization(id: number, name: Expected) {
  return {
    id,
    name,
    domain: anyText,
    address1: anyText,
    address2: null,
    zipcode: anyText,
    country: anyText,
    public_key: "",
    collaborations: `/api/collaboration?organization_id=${id}`,
    nodes: `/api/node?organization_id=${id}`,
    users: `/api/user?organization_id=${id}`,
    tasks: `/api/task?init_org_id=${id}`,
    runs: `/api/run?organization_id=${id}`,
    studies: `/api/study?organization_id=${id}`,
  };
}

function collaboration(id: number) {
  return {
    id,
    name: anyText,
    encrypted: false,
    organizations: `/api/organization?collaboration_id=${id}`,
    nodes: `/api/node?collaboration_id=${id}`,
    tasks: `/api/task?collaboration_id=${id}`,
    studies: `/api/study?collaboration_id=${id}`,
    algorithm_stores: `/api/algorithmstore?collaboration_id=${id}`,
  };
}

/** An envelope of one page that holds everything. */
function page(path: string, data: Expected[]) {
  return { data, links: { first: path, self: path, last: path } };
}

interface Call {
  token?: string;
  body?: unknown;
}

async function call(method: string, path: string, status: number, { token, body }: Call = {}) {
  const response = await fetch(`${stack().gatewayUrl}${path}`, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: Json = await response.json();
  assert.equal(response.status, status, `${method} ${path}: ${JSON.stringify(answer)}`);
  return { answer, headers: response.headers };
}

async function logIn({ login }: Site) {
  const { answer, headers } = await call("POST", "/api/token/user", 200, { body: login });
  assertShape(answer, {
    access_token: /^ey/,
    refresh_token: /^ey/,
    refresh_url: "/api/token/refresh",
    user_url: /^\/api\/user\/\d+$/,
  });
  assert.equal(headers.get("jwt-token"), answer.access_token);
  const [, claims] = answer.access_token.split(".");
  const { sub } = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/")));
  assert.ok(Number.isInteger(sub));
  return { token: answer.access_token as string, refresh: answer.refresh_token as string, sub };
}

Deno.test("the stock client's session, from log-in to result, field by field", async () => {
  const site = await createSite(stack(), { data: ["age\n51\n55\n"] });
  const [member] = site.members;
  await site.startNode(member!);
  const organizationId = member!.id;
  const { token, refresh, sub } = await logIn(site);
  const get = async (path: string) => (await call("GET", path, 200, { token })).answer;

  assertShape(await get(`/api/user/${sub}`), {
    id: sub,
    type: "user",
    username: site.login.username,
    firstname: "R",
    lastname: "S",
    email: /@/,
    ip: null,
    last_seen: DATE,
    status: null,
    otp_secret: null,
    last_email_failed_login_sent: null,
    last_email_recover_password_sent: null,
    roles: `/api/role?user_id=${sub}`,
    rules: `/api/rule?user_id=${sub}`,
    organization: link("organization", organizationId),
  });
  assertShape(
    await get(`/api/organization/${organizationId}`),
    organization(organizationId, member!.name),
  );

  const list = `/api/collaboration?page=1&per_page=20&organization_id=${organizationId}`;
  const collaborations = await call("GET", list, 200, { token });
  assertShape(collaborations.answer, page(list, [collaboration(site.collaborationId)]));
  assert.equal(collaborations.headers.get("total-count"), "1");
  assert.equal(
    collaborations.headers.get("link"),
    `<${list}>; rel=first,<${list}>; rel=self,<${list}>; rel=last`,
  );
  const blob = await get("/api/blobstream/status");
  assert.equal(typeof blob.blob_store_enabled, "boolean");

  const input = encodeInput({ method: "central", kwargs: { column: "age" } });
  const created = await call("POST", "/api/task", 201, {
    token,
    body: {
      name: "avg",
      image: "deno:average@1.0.0",
      description: "d",
      organizations: [{ id: organizationId, input }],
      databases: [{ label: "default" }],
      collaboration_id: site.collaborationId,
    },
  });
  const { id, job_id } = created.answer;
  const task = {
    id,
    name: "avg",
    description: "d",
    image: "deno:average@1.0.0",
    job_id: anyInteger,
    status: anyText,
    created_at: DATE,
    finished_at: dateOrNull,
    collaboration: link("collaboration", site.collaborationId),
    study: null,
    init_org: link("organization", organizationId),
    init_user: link("user", sub),
    parent: null,
    algorithm_store: null,
    databases: [{ label: "default", parameters: "{}" }],
    runs: `/api/run?task_id=${id}`,
    results: `/api/result?task_id=${id}`,
    children: `/api/task?parent_id=${id}`,
  };
  assertShape(created.answer, { ...task, status: "pending", finished_at: null });

  assertShape(await get(`/api/task/${id}/status`), { status: anyText });
  await site.outcome(id);
  assertShape(await get(`/api/task/${id}/status`), { status: "completed" });
  assertShape(await get(`/api/task/${id}`), {
    ...task,
    job_id,
    status: "completed",
    finished_at: DATE,
  });

  const results = `/api/result?task_id=${id}`;
  const answered = await get(results);
  const runId = answered.data[0].id;
  assertShape(
    answered,
    page(`${results}&page=1`, [{
      id: runId,
      result: anyText,
      blob_storage_used: false,
      cleanup_at: null,
      run: link("run", runId),
      task: link("task", id),
    }]),
  );
  JSON.parse(atob(answered.data[0].result));

  const run = {
    id: runId,
    status: "completed",
    input,
    log: anyText,
    assigned_at: DATE,
    started_at: DATE,
    finished_at: DATE,
    cleanup_at: null,
    blob_storage_used: false,
    organization: link("organization", organizationId),
    task: link("task", id),
    results: link("result", runId),
    node: {
      id: member!.nodeId,
      name: anyText,
      ip: (ip: unknown) => ip === null || anyText(ip),
      status: "online",
    },
    ports: [],
  };
  assertShape(await get(`/api/run/${runId}`), run);
  const { runs: _, ...embedded } = task;
  assertShape(
    await get(`/api/run?task_id=${id}&include=task`),
    page(
      `/api/run?task_id=${id}&include=task&page=1`,
      [{ ...run, task: { ...embedded, status: "completed" } }],
    ),
  );

  // Too late to kill. The client refreshes, and asks once more.
  const kill = () => call("POST", "/api/kill/task", 400, { token, body: { id } });
  assert.equal(typeof (await kill()).answer.msg, "string");
  const again = await call("POST", "/api/token/refresh", 200, { token: refresh });
  assertShape(again.answer, {
    access_token: /^ey/,
    refresh_token: /^ey/,
    refresh_url: "/api/token/refresh",
    user_url: `/api/user/${sub}`,
  });
  assert.equal(typeof (await kill()).answer.msg, "string");
});

Deno.test("every documented object has every field", async () => {
  const site = await createSite(stack(), { data: ["x\n1\n", "x\n2\n"] });
  const [first] = site.members;
  const { collaborationId, admin } = site;
  assertShape(await admin.get(`/node/${first!.nodeId}`), {
    id: first!.nodeId,
    type: "node",
    name: anyText,
    ip: null,
    status: (status: unknown) => status === null || anyText(status),
    last_seen: dateOrNull,
    organization: link("organization", first!.id),
    collaboration: link("collaboration", collaborationId),
    config: [],
  });
  const study = await admin.post("/study", {
    name: "Pilot",
    collaboration_id: collaborationId,
    organization_ids: [first!.id],
  });
  assertShape(await admin.get(`/study/${study.id}`), {
    id: anyInteger,
    name: "Pilot",
    collaboration: link("collaboration", collaborationId),
    organizations: `/api/organization?study_id=${study.id}`,
    tasks: `/api/task?study_id=${study.id}`,
  });
  const both = await admin.get(`/collaboration/${collaborationId}?include=organizations`);
  assertShape(both, {
    ...collaboration(collaborationId),
    organizations: site.members.map(({ id, name }) => organization(id, name)),
  });
  assertShape(await admin.get("/rule/33"), {
    id: 33,
    name: "task",
    operation: "CREATE",
    scope: "COLLABORATION",
    description: anyText,
    users: "/api/user?rule_id=33",
  });
  assertShape(await admin.get("/role/1"), {
    id: 1,
    name: "Root",
    description: anyText,
    is_default_role: true,
    rules: "/api/rule?role_id=1",
    users: "/api/user?role_id=1",
    organization: null,
  });
  const { permissions } = await admin.get("/user/1?include_permissions=1");
  assertShape(permissions, {
    roles: [1],
    rules: Array.from({ length: 86 }, (_, index) => index + 1),
    orgs_in_collabs: [],
  });
  assertShape(await admin.get("/version"), { version: /^4\.15\./, sextant: anyText });
  const health = await admin.get("/health");
  assert.equal(health.database, true);
});
