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

/** The lines of the page that operators know, as it has them, and what a person types here. */
const PAGE: [python: string, typed: string, printed: RegExp][] = [
  [
    `iknl = db.Organization(name="IKNL", country="Netherlands")`,
    `iknl = db.Organization({name: "IKNL", country: "Netherlands"})`,
    row("name", "IKNL"),
  ],
  [`iknl.save()`, `iknl.save()`, row("id", 1)],
  [`db.Organization.get()`, `db.Organization.get()`, row(1, "IKNL")],
  [`db.Organization.get(1)`, `db.Organization.get(1)`, row("id", 1)],
  [
    `db.Organization.get_by_name("IKNL")`,
    `iknl = db.Organization.get_by_name("IKNL")`,
    /get_by_name is called getByName here\.[^]*IKNL/,
  ],
  [`iknl.created_tasks`, `iknl.created_tasks`, /\(none\)/],
  [`iknl._public_key = "key"`, `iknl._public_key = "key"`, /key/],
  [
    `user = db.User(username="root", password="secret", roles="root", organization=iknl)`,
    `user = db.User({username: "root", password: "secret", roles: "root", organization: iknl})`,
    row("username", "root"),
  ],
  [`user.save()`, `user.save()`, row("id", 1)],
  [`user.set_password("new")`, `user.set_password("new")`, row("username", "root")],
  [`db.User.get_by_username("root")`, `db.User.get_by_username("root")`, row("username", "root")],
  [`db.Task.next_run_id()`, `db.Task.next_run_id()`, /\d+$/],
];

Deno.test("the page's lines work as a person types them, and those of Python alone say how", async () => {
  const { env } = await newHub();
  await withPrompt({ env }, async (prompt) => {
    for (const [python, typed, printed] of PAGE) {
      assert.match(await prompt.type(typed), printed, typed);
      if (python === typed) continue;
      const hint = await prompt.type(python);
      if (/\w\(\w+=/.test(python)) {
        assert.ok(hint.includes("values are given by name in braces here: "), hint);
        assert.ok(hint.includes(typed.replace("db.", "new db.")), hint);
      }
    }
    const habits: [typed: string, told: RegExp][] = [
      ["None", /None is Python's: write undefined/],
      ["print(iknl)", /print is Python's/],
      ["len(iknl)", /list\.length/],
      ["[o for o in db.Organization.get() if o.id]", /\.filter\(\(o\) => o\.id\)/],
      ["# nothing", /a comment begins with \/\/ here/],
      ["help()", /^Models, such as/],
    ];
    for (const [typed, told] of habits) assert.match(await prompt.type(typed), told, typed);
  });
});
