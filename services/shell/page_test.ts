/**
 * The page that the shell began with shows a session in Python. Here its lines stand beside what a
 * person types at this prompt, and what is printed.
 */
import assert from "node:assert/strict";
import { useTestPostgres } from "../../tests/harness.ts";
import { newShellHub, row, runShell, withPrompt } from "../../tests/support/shell.ts";

const postgres = useTestPostgres();
const newHub = () => newShellHub(postgres);

Deno.test("a forgotten await is made good at the prompt, and told where it cannot be", async () => {
  const { env } = await newHub();
  await withPrompt({ env }, async (prompt) => {
    await prompt.type(`const o = new db.Organization({name: "X1"}); o.save()`);
    assert.match(await prompt.type(`org = db.Organization.getByName("X1")`), row("name", "X1"));
    assert.equal((await prompt.type("org.name")).trim(), "X1");
    assert.match(await prompt.type(`org.name = "new"; org.save()`), row("name", "new"));
    assert.equal(await prompt.type(`const fixed = db.Organization.get(1)`), "");
    assert.equal((await prompt.type("fixed.name")).trim(), "new");
    assert.equal(await prompt.type(`let all = db.Organization.get()`), "");
    assert.equal((await prompt.type("all.length")).trim(), "1");
    const told = await prompt.type(`two = db.Organization.get(1); two.name`);
    assert.match(
      told,
      /^Error: db\.Organization\.get\(…\) is not there yet: put await before it, as in \(await db\.Organization\.get\(…\)\)\.name$/,
    );
    assert.match(await prompt.type(`org.users.length`), /await organization\.users\)\.length/);
    assert.match(await prompt.type(`const none = db.Organization.get("x")`), /must be an integer/);
  });
  const { code, stderr } = await runShell(["--eval", `db.Organization.get(1).name`], { env });
  assert.equal(code, 1);
  assert.match(stderr, /^Error: db\.Organization\.get\(…\) is not there yet: put await before it/);
});

const NEW = (line: string) =>
  new RegExp(`braces here: ${line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);

interface Line {
  python: string;
  /** What a person types here; the Python line itself, unless given. */
  typed?: string;
  printed: RegExp;
  /** What is printed for the Python line as it is, where another one has to be typed. */
  told?: RegExp;
}

/** The lines of the page in its order, section by section. */
const PAGE: Record<string, Line[]> = {
  organizations: [
    {
      python: `iknl = db.Organization(name="IKNL", domain="iknl.nl", country="Netherlands")`,
      typed: `iknl = db.Organization({name: "IKNL", domain: "iknl.nl", country: "Netherlands"})`,
      printed: row("name", "IKNL"),
      told: NEW(
        `iknl = new db.Organization({name: "IKNL", domain: "iknl.nl", country: "Netherlands"})`,
      ),
    },
    { python: `iknl._public_key = "key"`, printed: /_public_key is called publicKey here\.\nkey/ },
    { python: `iknl.save()`, printed: row("id", 1) },
    { python: `other = db.Organization({"name": "Other"}); other.save()`, printed: row("id", 2) },
    { python: `db.Organization.get()`, printed: row(1, "IKNL") },
    { python: `db.Organization.get(1)`, printed: row("publicKey", "key") },
    {
      python: `iknl = db.Organization.get_by_name("IKNL")`,
      printed: /get_by_name is called getByName here\.[^]*IKNL/,
    },
    { python: `iknl.collaborations`, printed: /^\(none\)$/ },
    { python: `iknl.users`, printed: /^\(none\)$/ },
    { python: `iknl.created_tasks`, printed: /created_tasks is called createdTasks[^]*\(none\)/ },
    { python: `iknl.results`, printed: /^\(none\)$/ },
    { python: `iknl.nodes`, printed: /^\(none\)$/ },
  ],
  users: [
    {
      python:
        `user = db.User(username="root", password="super-secret!", roles="root", organization=iknl)`,
      typed:
        `user = db.User({username: "root", password: "super-secret!", roles: "root", organization: iknl})`,
      printed: row("username", "root"),
      told: /braces here: user = new db\.User\(\{username: "root", password: /,
    },
    { python: `user.save()`, printed: row("roles", "Root") },
    { python: `db.User.get()`, printed: row(1, "root") },
    { python: `db.User.get(1)`, printed: row("organization", `Organization 1 IKNL`) },
    { python: `db.User.get_by_username("root")`, printed: row("username", "root") },
    { python: `iknl.users`, printed: row(1, "root") },
    { python: `user.firstname = "Brandnew"`, printed: /^Brandnew$/ },
    { python: `user.set_password("something-new")`, printed: row("firstname", "Brandnew") },
    { python: `user.save()`, printed: row("firstname", "Brandnew") },
  ],
  "roles and rules": [
    { python: `db.Rule.get()`, printed: row("organization", "GLOBAL", "VIEW") },
    { python: `db.Role.get(3)`, printed: row("name", "node") },
    {
      python: `db.Role.get(4).rules`,
      typed: `(await db.Role.get(4)).rules`,
      printed: row("VIEW"),
      told: /put await before it, as in \(await db\.Role\.get\(…\)\)\.rules$/,
    },
    {
      python: `rule = db.Rule.get_by("node", "organization", "view")`,
      printed: row("resource", "node"),
    },
    {
      python: `role = db.Role(name="role-name", rules=[rule])`,
      typed: `role = db.Role({name: "role-name", rules: [rule]})`,
      printed: row("name", "role-name"),
      told: NEW(`role = new db.Role({name: "role-name", rules: [rule]})`),
    },
    { python: `role.save()`, printed: row("name", "role-name") },
    {
      python: `user.rules.append(rule)`,
      typed: `user.rules = [...(await user.rules), rule]`,
      printed: /ORGANIZATION/,
      told:
        /a relation is assigned as a whole here: user\.rules = \[\.\.\.\(await user\.rules\), rule\]/,
    },
    { python: `user.save()`, printed: row("username", "root") },
    { python: `user.rules`, printed: row("node", "ORGANIZATION", "VIEW") },
  ],
  collaborations: [
    {
      python:
        `c = db.Collaboration(name="collaboration-name", encrypted=False, organizations=[iknl, other])`,
      typed:
        `c = db.Collaboration({name: "collaboration-name", encrypted: false, organizations: [iknl, other]})`,
      printed: row("name", "collaboration-name"),
      told: NEW(
        `c = new db.Collaboration({name: "collaboration-name", encrypted: false, organizations: [iknl, other]})`,
      ),
    },
    { python: `c.save()`, printed: row("id", 1) },
    {
      python: `db.Collaboration.get_by_name("collaboration-name")`,
      printed: row("encrypted", "false"),
    },
    { python: `c.organizations`, printed: row(2, "Other") },
    { python: `c.nodes`, printed: /^\(none\)$/ },
    { python: `c.tasks`, printed: /^\(none\)$/ },
  ],
  nodes: [
    {
      python: `node = db.Node(name="IKNL node", organization=iknl, collaboration=c)`,
      typed: `node = db.Node({name: "IKNL node", organization: iknl, collaboration: c})`,
      printed: row("name", "IKNL node"),
      told: NEW(`node = new db.Node({name: "IKNL node", organization: iknl, collaboration: c})`),
    },
    { python: `node.save()`, printed: /apiKey +│ [-0-9a-f]{36} \(note it now/ },
    { python: `db.Node.get()`, printed: row(1, "IKNL node", "offline") },
    { python: `node.organization`, printed: row("name", "IKNL") },
    { python: `node.collaboration`, printed: row("name", "collaboration-name") },
    { python: `node.status`, printed: /^offline$/ },
  ],
  tasks: [
    {
      python: `run_id = db.Task.next_run_id()`,
      printed: /next_run_id is called nextRunId here\.\n1$/,
    },
    {
      python:
        `task = db.Task(name="t", image="image:1", collaboration=c, run_id=run_id, database="default", initiator=iknl)`,
      typed:
        `task = db.Task({name: "t", image: "image:1", collaboration: c, run_id: run_id, database: "default", initiator: iknl})`,
      printed: row("name", "t"),
      told:
        /braces here: task = new db\.Task\(\{name: "t", image: "image:1", collaboration: c, run_id: run_id/,
    },
    { python: `task.save()`, printed: row("status", "no results") },
    { python: `db.Task.get()`, printed: row(1, "t") },
    {
      python:
        `child = db.Task({"name": "child", "image": "image:1", "collaboration": c, "run_id": task.run_id, "parent": task, "initiator": iknl})`,
      printed: row("parent", `Task 1 "t"`),
    },
    { python: `child.save()`, printed: row("parent", "Task 1 t") },
    { python: `task.children`, printed: row(2, "child") },
    {
      python: `[t for t in db.Task.get() if t.complete]`,
      typed: `(await db.Task.get()).filter((t) => t.complete)`,
      printed: /^\(none\)$/,
      told: /here: \(await db\.Task\.get\(\)\)\.filter\(\(t\) => t\.complete\)$/,
    },
  ],
  results: [
    {
      python:
        `result = db.Result(task=task, organization=iknl, input="encrypted for IKNL", assigned_at=None)`,
      // In an encrypted collaboration the input is text that was encrypted for the organization.
      typed:
        `result = db.Result({task: task, organization: iknl, input: "encrypted for IKNL", assigned_at: null})`,
      printed: row("input", "encrypted for IKNL"),
      told: /braces here: result = new db\.Result\(\{task: task, .*assigned_at: null\}\)$/,
    },
    { python: `result.save()`, printed: row("input", "encrypted for IKNL") },
    { python: `db.Result.get(1)`, printed: row("status", "pending") },
    {
      python: `[r for r in db.Result.get() if r.complete]`,
      typed: `(await db.Result.get()).filter((r) => r.complete)`,
      printed: /^\(none\)$/,
      told: /\.filter\(\(r\) => r\.complete\)$/,
    },
    { python: `task.results`, printed: row(1, "pending") },
    { python: `result.started_at`, printed: /^(undefined|null)$/m },
  ],
};

Deno.test("the page's lines work as a person types them, and those of Python alone say how", async () => {
  const { env } = await newHub();
  await withPrompt({ env, columns: 200 }, async (prompt) => {
    for (const [section, lines] of Object.entries(PAGE)) {
      for (const { python, typed, printed, told } of lines) {
        if (told) {
          assert.match((await prompt.type(python)).trimEnd(), told, `${section}: ${python}`);
        }
        const line = typed ?? python;
        assert.match((await prompt.type(line)).trimEnd(), printed, `${section}: ${line}`);
      }
    }
  });
});

/** What hands that know Python type without thinking. */
const HABITS: [typed: string, told: RegExp][] = [
  ["None", /None is Python's: write undefined/],
  ["True", /True is Python's: write true/],
  ["print(iknl)", /print is Python's: write only the value/],
  ["len(iknl)", /len is Python's: write list\.length/],
  ["[o for o in db.Organization.get() if o.id]", /\.filter\(\(o\) => o\.id\)/],
  ["names = [o.name for o in all]", /names = all\.map\(\(o\) => o\.name\)/],
  ["# nothing", /a comment begins with \/\/ here/],
  ["help()", /^Models, such as/],
  [
    "db.Organization.get_by_nam('x')",
    /db\.Organization has no get_by_nam; did you mean getByName\?/,
  ],
  [`db.Organization.get(1).name`, /put await before it/],
  [`iknl._pubic_key = "x"`, /Organization has no _pubic_key; did you mean publicKey\?/],
];

Deno.test("habits of Python are answered with the line to type, and exit() leaves", async () => {
  const { env } = await newHub();
  await withPrompt({ env }, async (prompt) => {
    await prompt.type(`iknl = db.Organization({name: "IKNL"})`);
    for (const [typed, told] of HABITS) {
      assert.match((await prompt.type(typed)).trimEnd(), told, typed);
    }
    // The hint comes the first time alone.
    assert.match(await prompt.type("iknl.public_key"), /is called publicKey here/);
    assert.doesNotMatch(await prompt.type("iknl.public_key"), /is called/);
    await prompt.keys("exit()\r");
    assert.equal(await prompt.ended, 0);
  });
});
