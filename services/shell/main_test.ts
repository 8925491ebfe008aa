import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../tests/harness.ts";
import { useOwnPostgres } from "../../tests/support/postgres.ts";
import { newShellHub, row, runShell, withPrompt } from "../../tests/support/shell.ts";
import { openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";

const postgres = useOwnPostgres();
const newHub = () => newShellHub(postgres());

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/**
 * The shell's document, row by row: what is typed, and what is printed (nothing, unless given).
 * Every line works at the prompt and, with its value given to console.log, in a script.
 */
const ROWS: [row: number, typed: string, ...printed: (RegExp | string)[]][] = [
  [2, `db.help()`, row("Organization", "A party"), row("Rule"), row("Result"), /db\.doctor\(\)/],
  [
    2,
    `db.Organization.help()`,
    row("name", "text", "yes"),
    row("collaborations", "list of"),
    /getByName/,
  ],
  [
    3,
    `const o = new db.Organization({name: "IKNL", domain: "iknl.nl", address1: "Zernikestraat 29", address2: "Eindhoven", zipcode: "5612HZ", country: "Netherlands"})`,
  ],
  [4, `o.publicKey = "bm90IGEga2V5"`, "bm90IGEga2V5"],
  [5, `await o.save()`, row("id", 1), row("publicKey", "bm90IGEga2V5"), row("zipcode", "5612HZ")],
  [5, `o.address2 = "Utrecht"; await o.save()`, row("address2", "Utrecht")],
  [6, `await db.Organization.get()`, row(1, "IKNL", "iknl.nl", "Zernikestraat 29", "Utrecht")],
  [6, `await db.Organization.get(1)`, row("country", "Netherlands")],
  [6, `await db.Organization.getByName("IKNL")`, row("id", 1)],
  [6, `await db.Organization.getByName("nobody")`, /^undefined$/],
  [6, `await db.Organization.find({country: "Netherlands"})`, row(1, "IKNL")],
  [6, `await db.Organization.find({country: "Belgium"})`, /^\(none\)$/],
  [
    8,
    `const u = new db.User({username: "root", firstname: "John", lastname: "Doe", roles: "Root", organization: o})`,
  ],
  [8, `await u.setPassword("super-secret!")`, row("username", "root")],
  [8, `await u.save()`, row("id", 1), row("organization", "Organization 1")],
  [
    8,
    `await new db.User({username: "second", password: "pass-word", roles: ["Viewer", await db.Role.getByName("Researcher")], organization: 1}).save()`,
    row("username", "second"),
  ],
  [9, `await db.User.get()`, row(1, "root", "John", "Doe"), row(2, "second")],
  [9, `await db.User.get(1)`, row("username", "root")],
  [9, `await db.User.getByUsername("root")`, row("firstname", "John")],
  [9, `await (await db.Organization.getByName("IKNL")).users`, row(1, "root"), row(2, "second")],
  [
    10,
    `u.firstname = "Brandnew"; await u.setPassword("something-new"); await u.save()`,
    row("firstname", "Brandnew"),
  ],
  [11, `(await db.Rule.get()).length`, /^\d+$/],
  [11, `await db.Role.get(3)`, row("name", "node")],
  [11, `const role = await db.Role.get(4)`],
  [11, `await role.rules`, row("organization", "ORGANIZATION", "VIEW")],
  [11, `const rule = await db.Rule.getBy("node", "organization", "view")`],
  [11, `rule`, row("resource", "node"), row("scope", "ORGANIZATION"), row("operation", "VIEW")],
  [
    11,
    `const mine = new db.Role({name: "role-name", rules: [rule]}); await mine.save()`,
    row("name", "role-name"),
  ],
  [11, `await mine.rules`, row("node", "ORGANIZATION", "VIEW")],
  [
    11,
    `u.rules = [...(await u.rules), rule]; await u.save(); await u.rules`,
    row("node", "ORGANIZATION"),
  ],
  [11, `await u.roles`, row(1, "Root")],
  [12, `const other = await new db.Organization({name: "Other"}).save()`],
  [
    12,
    `const c = new db.Collaboration({name: "collaboration-name", encrypted: false, organizations: [o, other]})`,
  ],
  [12, `await c.save()`, row("id", 1), row("encrypted", "false")],
  [13, `await c.organizations`, row(1, "IKNL"), row(2, "Other")],
  [13, `await c.nodes`, /^\(none\)$/],
  [13, `await c.tasks`, /^\(none\)$/],
  [
    13,
    `await new db.Study({name: "part", collaboration: c, organizations: [o]}).save()`,
    row("name", "part"),
  ],
  [13, `await c.studies`, row(1, "part")],
  [14, `const n = new db.Node({name: "IKNL node", organization: o, collaboration: c})`],
  [14, `await n.save()`, row("status", "offline"), UUID, /note it now/],
  [14, `n.apiKey`, UUID],
  [14, `n.status`, "offline"],
  [14, `n.lastSeen`, /^(null|undefined)$/],
  [14, `await n.resetApiKey()`, UUID],
  [14, `(await db.Node.get(1)).apiKey`, /^undefined$/],
  [15, `const runId = await db.Task.nextRunId()`],
  [15, `await db.Task.nextRunId() > runId`, "true"],
  [
    16,
    `const t = new db.Task({name: "first", description: "d", image: "image:1", collaboration: c, runId, database: "default", initiator: o})`,
  ],
  [
    16,
    `await t.save()`,
    row("id", 1),
    row("runId", 1),
    row("database", "default"),
    row("user", "User 1"),
  ],
  [17, `t.help()`, /no node picks it up/],
  [
    18,
    `const child = new db.Task({name: "child", description: "d", image: "image:1", collaboration: c, runId: t.runId, parent: t, initiator: o}); await child.save()`,
    row("parent", "Task 1"),
    row("runId", 1),
  ],
  [18, `await t.children`, row(2, "child")],
  [18, `await child.parent`, row("name", "first")],
  [
    20,
    `const r = new db.Result({task: t, organization: o, input: "e30=", assignedAt: new Date()}); await r.save()`,
    row("status", "pending"),
  ],
  [19, `await db.Task.get()`, row(1, "first"), row(2, "child")],
  [19, `await db.Task.get(1)`, row("complete", "false"), row("status", "pending")],
  [19, `(await db.Task.get()).filter(t => t.complete)`, /^\(none\)$/],
  [19, `await db.Task.get(2)`, row("complete", "false"), row("status", "no results")],
  [20, `await db.Result.get()`, row(1, "pending")],
  [
    20,
    `await db.Result.get(1)`,
    row("input", "e30="),
    row("task", "Task 1"),
    /assignedAt +│ \d{4}-\d\d-\d\d/,
  ],
  [20, `await t.results`, row(1, "pending")],
  [
    20,
    `r.status = "completed"; r.result = "eyJhIjoxfQ=="; r.finishedAt = new Date(); await r.save()`,
    row("complete", "true"),
  ],
  [20, `(await db.Result.get()).filter(r => r.complete)`, row(1, "completed")],
  [19, `(await db.Task.get()).filter(t => t.complete)`, row(1, "first")],
  [7, `await o.collaborations`, row(1, "collaboration-name")],
  [7, `await o.users`, row(1, "root", "Brandnew")],
  [7, `await o.createdTasks`, row(1, "first"), row(2, "child")],
  [7, `await o.results`, row(1, "completed")],
  [7, `await o.nodes`, row(1, "IKNL node", "offline")],
  [
    21,
    `await t.delete({yes: true})`,
    'Task 1 "first" is deleted, and with it 1 descendant and 1 result.',
  ],
  [21, `await n.delete({yes: true})`, 'Node 1 "IKNL node" is deleted.'],
  [
    21,
    `await (await db.Role.get(1)).delete({yes: true}).catch((error) => error.message)`,
    /one of the hub's own roles/,
  ],
  [
    21,
    `await o.delete({yes: true}).catch((error) => error.message)`,
    /^Cannot .* can administer this server.* To do it all the same: delete\({force: true}\)$/,
  ],
  [
    21,
    `await o.delete({yes: true, force: true})`,
    /^Organization 1 "IKNL" is deleted, and with it 2 users\. To follow, [^.]*: 1 membership\.$/,
  ],
  [21, `await db.User.get()`, /^\(none\)$/],
];

function assertPrinted(
  number: number,
  typed: string,
  printed: string,
  expected: (RegExp | string)[],
) {
  const where = `row ${number}, ${typed} printed:\n${printed}`;
  if (expected.length === 0) assert.equal(printed, "", where);
  for (const one of expected) {
    if (typeof one === "string") assert.equal(printed, one, where);
    else assert.match(printed, one, where);
  }
}

Deno.test("every row of the shell's document works at the prompt", async () => {
  const { env } = await newHub();
  await withPrompt({ env }, async (prompt) => {
    assert.match(
      prompt.screen(),
      /prefer it[^]*identity: test_\w+ as sextant_identity, PostgreSQL \d+/,
    );
    for (const [number, typed, ...expected] of ROWS) {
      assertPrinted(number, typed, (await prompt.type(typed)).trimEnd(), expected);
    }
    assert.doesNotMatch(prompt.screen(), /argon2/);
  });
});

Deno.test("every row of the shell's document works in a script", async () => {
  const { env } = await newHub();
  const folder = await temporaryFolder();
  const mark = "----";
  const lines = ROWS.map(([, typed, ...expected]) => {
    if (expected.length === 0) return `${typed};\nconsole.log("${mark}");`;
    const statements = typed.split(/; (?=await |r\.|u\.)/);
    const last = statements.pop()!;
    return `${
      statements.map((one) => `${one};\n`).join("")
    }console.log(${last});\nconsole.log("${mark}");`;
  });
  const path = join(folder.path, "rows.ts");
  await Deno.writeTextFile(path, lines.join("\n"));
  const { code, stdout, stderr } = await runShell([path], { env: { ...env, COLUMNS: "120" } });
  await folder.remove();
  assert.equal(code, 0, stderr);
  const printed = stdout.split(`${mark}\n`);
  for (const [index, [number, typed, ...expected]] of ROWS.entries()) {
    assertPrinted(number, typed, printed[index]!.trimEnd(), expected);
  }
});

Deno.test("wrong input is one clear line, and nothing is half-written", async () => {
  const { env } = await newHub();
  await withPrompt({ env }, async (prompt) => {
    const wrong = async (typed: string, message: string | RegExp) => {
      const printed = (await prompt.type(typed)).trimEnd();
      assert.match(printed, /^Error: [^\n]+$/, `${typed} printed:\n${printed}`);
      if (typeof message === "string") assert.equal(printed, `Error: ${message}`);
      else assert.match(printed, message);
    };
    await prompt.type(`const o = await new db.Organization({name: "One"}).save()`);
    await wrong(`await new db.Organization({}).save()`, "Organization: name is missing");
    await wrong(
      `await new db.Organization({name: "One"}).save()`,
      `Organization: name "One" exists already`,
    );
    await wrong(
      `await new db.User({username: "x"}).save()`,
      /password is missing|organization is missing/,
    );
    await wrong(
      `await new db.User({username: "x", organization: o}).save()`,
      "User: password is missing",
    );
    await wrong(
      `await new db.User({username: "x", password: "y", organization: 99}).save()`,
      "User: organization: there is no Organization 99",
    );
    await wrong(
      `await new db.User({username: "x", password: "y", organization: o, roles: "Nobody"}).save()`,
      `User: roles: there is no Role called "Nobody"`,
    );
    await wrong(
      `await new db.User({username: "x", password: "y", organization: o, roles: ["Root", 999]}).save()`,
      "User: roles: there is no Role 999",
    );
    await wrong(`o.nmae = "Two"`, "Organization has no nmae; did you mean name?");
    await wrong(`o.domian`, "Organization has no domian; did you mean domain?");
    await wrong(`await o.delet()`, "Organization has no delet; did you mean delete?");
    await wrong(`await db.users.get()`, "db has no users; did you mean User?");
    await wrong(`db.wathc()`, "db has no wathc; did you mean watch?");
    await wrong(
      `await db.User.all()`,
      "db.User has no all; see db.User.help()",
    );
    await wrong(`await sql.identiy\`select 1\``, "sql has no identiy; did you mean identity?");
    await wrong(`await sql\`select 1\``, /Say which database: await sql\.identity/);
    await wrong(
      `new db.Organization({country: ["NL"]})`,
      "Organization: country must be text, not a list",
    );
    await wrong(
      `await new db.Collaboration({name: "c", encrypted: "yes"}).save()`,
      `Collaboration: encrypted must be true or false, not "yes"`,
    );
    await wrong(
      `await db.Organization.get("one")`,
      `Organization: id must be an integer, not "one"`,
    );
    assert.equal((await prompt.type(`await db.Organization.get(3e9)`)).trim(), "undefined");
    await wrong(
      `await new db.User({username: "x", password: "y", organization: 3e9}).save()`,
      "User: organization: there is no Organization 3000000000",
    );
    await wrong(`await db.Organization.find({town: 1})`, /^Error: Organization has no town/);
    await wrong(`await o.delete({yes: true}).then(() => o.delete())`, /not stored/);
    await wrong(`let let = 1`, /^Error: Syntax error: let is disallowed/);
    await wrong(`a b`, /^Error: Syntax error: Unexpected identifier 'b'/);
    await wrong(`nothing.there`, "ReferenceError: nothing is not defined");
    await wrong(
      `await sql.identity\`select * from nowhere\``,
      /^Error: The database refuses: relation "nowhere" does not exist/,
    );
    await wrong(`await db.watch()`, /There is no broker/);
    assert.equal(await prompt.type("await db.User.count()"), "0");
    assert.equal(await prompt.type("await sql.identity`update role set name = name`"), "UPDATE 7");
    assert.equal(await prompt.type("(await sql.identity`select * from outbox`).length"), "2");
  });
});

Deno.test("--eval, a script and the standard input run without a prompt", async () => {
  const { env } = await newHub();
  const made = await runShell([
    "--json",
    "--eval",
    `await new db.Organization({name: "One"}).save()`,
  ], { env });
  assert.equal(made.code, 0, made.stderr);
  assert.equal(JSON.parse(made.stdout).name, "One");
  const piped = await runShell(["--json"], {
    env,
    input: "const all = await db.Organization.get()\nall",
  });
  assert.deepEqual(JSON.parse(piped.stdout).map((one: { name: string }) => one.name), ["One"]);
  const thrown = await runShell(["--eval", `await new db.Organization({name: "One"}).save()`], {
    env,
  });
  assert.equal(thrown.code, 1);
  assert.equal(thrown.stderr, `Error: Organization: name "One" exists already\n`);
  const folder = await temporaryFolder();
  const script = join(folder.path, "script.ts");
  await Deno.writeTextFile(script, `await db.User.count();\nthrow new Error("no luck");`);
  const failed = await runShell([script], { env });
  assert.equal(failed.stderr, "Error: no luck (script.ts:2:7)\n");
  assert.equal(failed.code, 1);
  await folder.remove();
  const absent = await runShell([script], { env });
  assert.match(absent.stderr, /^Error: Cannot read the script: [^\n]*script\.ts'\n$/);
  for (
    const [args, message] of [
      [["--dry-run"], "--dry-run needs --import FILE"],
      [["--eval", "1", "--export"], "Give one of --export and --eval"],
      [["--evil"], "Unknown option '--evil'"],
    ] as const
  ) {
    const { code, stderr } = await runShell([...args], { env });
    assert.equal(stderr, `${message}\nSee: deno task shell --help\n`);
    assert.equal(code, 2);
  }
  const unasked = await runShell(["--eval", `(await db.Organization.get(1)).delete()`], { env });
  assert.match(
    unasked.stderr,
    /^Error: Organization 1 "One" would be deleted\. If that is meant: await organization\.delete\({yes: true}\)\n$/,
  );
  const forgotten = await runShell(["--eval", `new db.Organization({name: "Two"}).save(); 1`], {
    env,
  });
  assert.deepEqual([forgotten.code, forgotten.stdout], [0, "1\n"]);
  assert.equal(
    (await runShell(["--eval", "await db.Organization.count()"], { env })).stdout,
    "2\n",
  );
  const lost = await runShell(["--eval", `new db.Organization({name: "Two"}).save(); 1`], { env });
  assert.equal(lost.stderr, `Error: Organization: name "Two" exists already\n`);
  assert.equal(lost.code, 1);
  assert.equal((await runShell(["--json", "--eval", "undefined"], { env })).stdout, "null\n");
  const broken = await runShell(["--eval", `await db.(`], { env });
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /^Error: Syntax error: [^\n]+\n$/);
});

Deno.test("what the shell writes tells the services, and nobody a secret", async () => {
  const { env, urls } = await newHub();
  const { code, stdout, stderr } = await runShell([
    "--eval",
    `
    const o = await new db.Organization({name: "One"}).save();
    const u = await new db.User({username: "u", password: "hunter2", organization: o, roles: "Viewer"}).save();
    console.log(u, await db.User.get(), JSON.stringify(u), await sql.identity\`select * from "user"\`);
    console.log(await sql.identity\`select password_hash as innocent, "user"::text as whole from "user"\`);
    u.password`,
  ], { env });
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stdout + stderr, /argon2|hunter2/);
  assert.match(stdout, /\[hidden\]/);
  const db = openDatabase(urls.identity, { schema: "identity", log: silentLogger, max: 1 });
  const events = await db`select subject, payload::jsonb -> 'data' as data from outbox order by id`;
  assert.deepEqual(events.map((one) => [one.subject, one.data]), [
    ["event.organization.changed", { organization_id: 1 }],
    ["event.user.changed", { user_id: 1, organization_id: 1 }],
  ]);
  const audit = await db`select what, who_kind, object_id, path from audit order by id`;
  assert.deepEqual(audit.map((one) => [one.what, one.who_kind, one.object_id]), [
    ["organization.changed", "operator", 1],
    ["user.changed", "operator", 1],
  ]);
  assert.match(audit[0]!.path, /^.+@.+$/);
  await db.end();
});

Deno.test("the shell refuses to start without databases, and says why", async () => {
  const { env } = await newHub();
  const nowhere = await runShell(["--data", "/nonexistent", "--eval", "1"], {
    env: { PATH: env.PATH!, HOME: env.HOME! },
  });
  assert.equal(nowhere.code, 1);
  assert.match(
    nowhere.stderr,
    /^Cannot start: No databases are named [^\n]*SEXTANT_IDENTITY_DATABASE_URL[^\n]*\n$/,
  );
  const url = "postgres://nobody:wrong@127.0.0.1:1/none";
  const dead = await runShell(["--eval", "1"], { env: { ...env, SEXTANT_TASK_DATABASE_URL: url } });
  assert.equal(dead.code, 1);
  assert.match(dead.stderr, /^Cannot start: Cannot use the database of task: [^\n]*\n$/);
  const partial = await runShell(["--eval", "1"], {
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !name.includes("TASK"))),
  });
  assert.match(partial.stderr, /^Cannot start: SEXTANT_TASK_DATABASE_URL must be set too\n$/);
});
