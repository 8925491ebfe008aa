/**
 * The operator's shell beside a running hub: its changes are real at once.
 * @module
 */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { ApiError } from "../services/client/errors.ts";
import { silentLogger } from "../shared/service/log.ts";
import { openDatabase } from "../shared/storage/db.ts";
import { createApiClient } from "./support/api.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, type Json } from "./site.ts";
import { openPrompt, type Prompt, runShell, type ShellRun } from "./support/shell.ts";

const stack = useTestStack();
const DATA = ["x\n1\n2\n"];

/** The environment of a shell that finds everything in the stack's folder. */
function env(): Record<string, string> {
  const { PATH = "", HOME = "", DENO_DIR } = Deno.env.toObject();
  return { PATH, HOME, ...(DENO_DIR ? { DENO_DIR } : {}) };
}

function evaluate(code: string, ...args: string[]): Promise<ShellRun> {
  return runShell(["--data", stack().folder, ...args, "--eval", code], { env: env() });
}

/** The value of `code` as the shell's JSON has it. */
// deno-lint-ignore no-explicit-any -- each caller knows what it asked for
async function valueOf(code: string): Promise<any> {
  const { code: exit, stdout, stderr } = await evaluate(code, "--json");
  assert.equal(exit, 0, stderr);
  return stdout === "" ? undefined : JSON.parse(stdout);
}

async function withPrompt(work: (prompt: Prompt) => Promise<void>): Promise<void> {
  const prompt = await openPrompt({ env: env(), args: ["--data", stack().folder] });
  try {
    await work(prompt);
  } finally {
    await prompt.close();
  }
}

async function statusOf(work: () => Promise<unknown>): Promise<number> {
  try {
    await work();
    return 200;
  } catch (error) {
    if (error instanceof ApiError) return error.status;
    throw error;
  }
}

Deno.test("a password changed in the shell opens the door, the old one does not", async () => {
  const site = await createSite(stack(), { data: DATA });
  const { username, password } = site.login;
  const api = createApiClient(stack().gatewayUrl);
  const { refresh_token } = await api.post("/token/user", { username, password });
  await valueOf(`
    const u = await db.User.getByUsername("${username}");
    await u.setPassword("Sx1-something-new");
    await u.save()`);
  assert.equal(await statusOf(() => api.login(username, password)), 401);
  assert.equal(await statusOf(() => api.login(username, "Sx1-something-new")), 200);
  const refreshing = () => api.as(refresh_token).post("/token/refresh");
  assert.equal(await statusOf(refreshing), 401);
});

Deno.test("a lost second factor is taken away in the shell, with the log-ins, and audited", async () => {
  const site = await createSite(stack(), { data: DATA });
  const { username, password } = site.login;
  const api = createApiClient(stack().gatewayUrl);
  const { refresh_token } = await api.post("/token/user", { username, password });
  const user = `(await db.User.getByUsername("${username}"))`;
  const without = await evaluate(`await ${user}.removeSecondFactor()`);
  assert.equal(without.code, 1);
  assert.match(without.stderr, /User \d+ has no second factor/);
  const database = openDatabase(stack().adminDatabaseUrl(), {
    schema: "identity",
    log: silentLogger,
    max: 1,
  });
  await database`update "user" set otp_secret = 'of a lost telephone' where username = ${username}`
    .finally(() => database.end());
  assert.equal(await valueOf(`${user}.secondFactor`), true);
  const { id, secondFactor } = await valueOf(`await ${user}.removeSecondFactor()`);
  assert.equal(secondFactor, false);
  assert.equal(await statusOf(() => api.as(refresh_token).post("/token/refresh")), 401);
  assert.equal(await statusOf(() => api.login(username, password)), 200);
  const { data } = await site.admin.get(`/audit?object=user&object_id=${id}`);
  const byOperator = data.filter(({ who }: Json) => who?.kind === "operator");
  assert.deepEqual(byOperator.map(({ what }: Json) => what), ["user.changed"]);
});

Deno.test("a role taken away in the shell is gone at the next request", async () => {
  const site = await createSite(stack(), { data: DATA });
  assert.equal(await statusOf(() => site.researcher.get("/task")), 200);
  await valueOf(`
    const u = await db.User.getByUsername("${site.login.username}");
    u.roles = [];
    await u.save()`);
  assert.equal(await statusOf(() => site.researcher.get("/task")), 401);
  await valueOf(`
    const u = await db.User.getByUsername("${site.login.username}");
    u.roles = "Researcher";
    await u.save()`);
  assert.equal(await statusOf(() => site.researcher.get("/task")), 200);
});

Deno.test("a node whose key was reset in the shell is cut off", async () => {
  const site = await createSite(stack(), { data: DATA });
  const [member] = site.members;
  await site.startNode(member!);
  const { api_key: old } = parse(await Deno.readTextFile(member!.config));
  const api = createApiClient(stack().gatewayUrl);
  const { access_token } = await api.post("/token/node", { api_key: old });
  const status = async () => (await site.admin.get(`/node/${member!.nodeId}`)).status;
  assert.equal((await valueOf(`await db.Node.get(${member!.nodeId})`)).status, "online");
  // Tokens tell their age in whole seconds.
  const issued = Math.floor(Date.now() / 1000);
  await waitFor(() => Date.now() / 1000 >= issued + 1, { what: "the next second" });
  const key = await valueOf(`(await (await db.Node.get(${member!.nodeId})).resetApiKey()).apiKey`);
  const seen = () => api.as(access_token).get(`/node/${member!.nodeId}`);
  assert.equal(await statusOf(seen), 401);
  assert.equal(await statusOf(() => api.post("/token/node", { api_key: old })), 401);
  await waitFor(async () => await status() === "offline", { what: "the node to be offline" });
  assert.equal(await statusOf(() => api.post("/token/node", { api_key: key })), 200);
});

Deno.test("a task saved in the shell waits for ever; dispatched on purpose it runs", async () => {
  const site = await createSite(stack(), { data: DATA });
  const [member] = site.members;
  // The node is told by name on whose behalf it is, as by the API.
  const policies = `policies: { allowed_users: ${site.login.username} }\n`;
  await Deno.writeTextFile(member!.config, policies, { append: true });
  await site.startNode(member!);
  const made = await valueOf(`
    const collaboration = await db.Collaboration.get(${site.collaborationId});
    const task = new db.Task({
      name: "by hand", description: "", image: "deno:average@1.0.0", collaboration,
      runId: await db.Task.nextRunId(), database: "default", initiator: ${member!.id},
    });
    await task.save();
    await new db.Result({task, organization: ${member!.id}}).save();
    task`);
  // Time enough for a dispatch, had there been one.
  const posted = await site.post({
    image: "deno:average@1.0.0",
    method: "partial",
    kwargs: { column: "x" },
  });
  assert.equal((await site.outcome(posted.id)).status, "completed");
  assert.equal((await site.researcher.get(`/task/${made.id}/status`)).status, "pending");
  const dispatched = await valueOf(`
    const task = await db.Task.get(${made.id});
    await task.dispatch([${member!.id}], {method: "partial", kwargs: {column: "x"}})`);
  assert.equal(dispatched.length, 1);
  const { status, results } = await site.outcome(made.id);
  assert.equal(status, "completed");
  assert.equal(results[0].sum, 3);
});

Deno.test("users and nodes of an imported file get in", async () => {
  const sample = new URL("../services/shell/import/sample.yaml", import.meta.url).pathname;
  const args = ["--data", stack().folder, "--json", "--import", sample];
  const { code, stdout, stderr } = await runShell(args, { env: env() });
  assert.equal(code, 0, stderr);
  const { warnings, unchanged } = JSON.parse(stdout);
  // The hub's own administrator has that name already.
  assert.deepEqual(unchanged, ["user admin"]);
  assert.ok(warnings.includes("line 9: admin exists in organization root; left alone"));
  const api = createApiClient(stack().gatewayUrl);
  const stan = await api.login("stan", "password");
  assert.equal(await statusOf(() => stan.get("/organization")), 200);
  const key = "123e4567-e89b-12d3-a456-426614174001";
  assert.equal(await statusOf(() => api.post("/token/node", { api_key: key })), 200);
});

Deno.test("changes of the operator are in the audit, under the account of the machine", async () => {
  const made = await valueOf(`await new db.Organization({name: "Audited"}).save()`);
  const { username, password } = await stack().adminCredentials();
  const admin = await createApiClient(stack().gatewayUrl).login(username, password);
  const { data } = await admin.get(`/audit?object=organization&object_id=${made.id}`);
  assert.equal(data[0].what, "organization.changed");
  assert.equal(data[0].who.kind, "operator");
  assert.match(data[0].path, /.+@.+/);
});

Deno.test("db.watch() shows what happens until Ctrl-C, and the prompt goes on", async () => {
  await withPrompt(async (prompt) => {
    await prompt.keys("await db.watch()\r");
    await prompt.shows("Watching");
    await valueOf(`await new db.Organization({name: "Watched"}).save()`);
    await prompt.shows(/event|organization\.changed {2}organization_id=\d+/);
    await prompt.keys("\x03");
    await prompt.shows(/1 event seen\.\nsextant> $/);
    assert.equal(await prompt.type("1 + 1"), "2");
  });
});

Deno.test("db.watch() says when a service or the broker goes, and when it is back", async () => {
  await withPrompt(async (prompt) => {
    await prompt.keys("await db.watch()\r");
    await prompt.shows("Watching");
    await stack().part("task").kill9();
    await prompt.shows(/task gone {2}does not answer/);
    await stack().part("task").restart();
    await prompt.shows(/task back/);
    await stack().part("nats").kill9();
    await prompt.shows(/broker gone {2}what happens now is not shown/);
    await stack().part("nats").restart();
    await prompt.shows(/broker back {2}events in between are not shown/);
    await prompt.keys("\x03");
    await prompt.shows(/events? seen\.\nsextant> $/);
  });
});

Deno.test("db.doctor() finds a healthy hub healthy, and a stopped service missing", async () => {
  // deno-lint-ignore no-explicit-any -- the shape of a finding is asserted on below
  const findings: any[] = await valueOf("await db.doctor()");
  const of = (check: string) => findings.find((one) => one.check === check);
  for (const check of ["identity", "collaboration", "task", "gateway"]) {
    assert.equal(of(check)?.state, "ok", JSON.stringify(of(check)));
    assert.match(of(check).finding, /version \d+\.\d+\.\d+ answers/);
  }
  const checks = ["stream EVENTS", "outbox of task", "database size", "disk space"];
  for (const check of [...checks, "administrators"]) {
    assert.equal(of(check)?.state, "ok", JSON.stringify(of(check)));
  }
  await stack().part("task").kill9();
  // deno-lint-ignore no-explicit-any -- as above
  const after: any[] = await valueOf("await db.doctor()");
  const task = after.find((one) => one.check === "task");
  assert.equal(task.state, "wrong");
  assert.match(task.advice, /start it again/);
  await stack().part("task").restart();
});
