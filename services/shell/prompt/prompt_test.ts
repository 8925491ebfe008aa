import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../../tests/harness.ts";
import { useOwnPostgres } from "../../../tests/support/postgres.ts";
import {
  AS_NOBODY,
  canBeNobody,
  newShellHub,
  openPrompt,
  packagesForAll,
  row,
  withPrompt,
} from "../../../tests/support/shell.ts";

const postgres = useOwnPostgres();
const newHub = () => newShellHub(postgres());

/**
 * At the beginning of a statement: shows that it runs, which the echo of what was typed does not.
 */
const BEGIN = `console.log("be" + "gun")`;
const BEGUN = /\nbegun\n/;

Deno.test("the prompt survives the database", async () => {
  const { env } = await newHub();
  await withPrompt({ env }, async (prompt) => {
    await prompt.type(`const o = await new db.Organization({name: "One"}).save()`);
    await postgres().kill9();
    assert.match(
      await prompt.type(`o.country = "NL"; await o.save()`),
      /^Error: The database is not answering/,
    );
    await postgres().start();
    assert.match(await prompt.type("await o.save()"), row("country", "NL"));
  });
});

Deno.test("the prompt takes statements over several lines, and types", async () => {
  const { env } = await newHub();
  await withPrompt({ env }, async (prompt) => {
    await prompt.type("function twice(n: number): number {\r  return 2 * n\r}");
    assert.equal(await prompt.type("twice(4)"), "8");
    assert.match(await prompt.type("const list = [\r  1,\r  2,\r]\rlist.length"), /2$/);
    assert.equal(await prompt.type("const list = 7"), "");
    assert.equal(await prompt.type("list"), "7");
    assert.equal(await prompt.type("{ a: list }"), "{ a: 7 }");
    assert.match(await prompt.type("foo bar(\r"), /^Error: Syntax error: Unexpected identifier/);
  });
});

Deno.test("Ctrl-C clears the line and what went before, and leaves what takes too long; Ctrl-D ends", async () => {
  const { env } = await newHub();
  const folder = await temporaryFolder();
  const prompt = await openPrompt({ env, args: ["--data", folder.path] });
  await prompt.keys("nonsense(");
  await prompt.shows("nonsense(");
  await prompt.keys("\x03");
  await prompt.shows(/\^C\nsextant> $/);
  assert.equal(await prompt.type("1 + 1"), "2");
  await prompt.keys("function half() {\r");
  await prompt.shows("...");
  await prompt.keys("\x03");
  await prompt.shows(/\^C\nsextant> $/);
  assert.equal(await prompt.type("2 + 2"), "4");
  await prompt.keys(`${BEGIN}; await new Promise(() => {})\r`);
  await prompt.shows(BEGUN);
  await prompt.keys("\x03");
  await prompt.shows(/\^C[^\n]*\nsextant> $/);
  assert.equal(await prompt.type("3 + 3"), "6");
  await prompt.keys("\x04");
  assert.equal(await prompt.ended, 0);
  await prompt.close();
  await folder.remove();
});

Deno.test({
  name: "the prompt works on a terminal that belongs to another account",
  ignore: !canBeNobody(),
  async fn() {
    const { env } = await newHub();
    const folder = await temporaryFolder();
    const prompt = await openPrompt({
      env: { ...env, DENO_DIR: await packagesForAll(folder.path) },
      through: AS_NOBODY,
      args: ["--data", folder.path],
    });
    assert.equal(await prompt.type("1 + 1"), "2");
    assert.match(await prompt.type("await db.Organization.get()"), /\(none\)/);
    await prompt.keys(`${BEGIN}; await new Promise(() => {})\r`);
    await prompt.shows(BEGUN);
    await prompt.keys("\x03");
    await prompt.shows(/\^C[^\n]*\nsextant> $/);
    await prompt.keys("db.Organiz\t");
    await prompt.shows("db.Organization");
    await prompt.close();
    await folder.remove();
  },
});

Deno.test("the prompt knows the words of any prompt: help and exit", async () => {
  const { env } = await newHub();
  const folder = await temporaryFolder();
  const prompt = await openPrompt({ env, args: ["--data", folder.path] });
  for (const word of ["help", "?"]) {
    assert.match(await prompt.type(word), /^Models, such as db\.Organization:/);
  }
  await prompt.keys("quit\r");
  assert.equal(await prompt.ended, 0);
  await prompt.close();
  await folder.remove();
});

Deno.test("the prompt completes models, fields and methods", async () => {
  const { env } = await newHub();
  await withPrompt({ env }, async (prompt) => {
    await prompt.type(`const o = new db.Organization({name: "One"})`);
    await prompt.keys("db.Organiz\t");
    await prompt.shows("db.Organization");
    await prompt.keys(".getBy\t");
    await prompt.shows(/getByName/);
    await prompt.keys("\x03");
    await prompt.shows(/\^C\nsextant> $/);
    await prompt.keys("o.publ\t");
    await prompt.shows("o.publicKey");
    await prompt.keys("\x03");
    await prompt.shows(/\^C\nsextant> $/);
    await prompt.keys("o.sa\t");
    await prompt.shows("o.save");
    await prompt.keys("\x03");
  });
});

Deno.test("history is kept between sessions, without what holds a secret", async () => {
  const { env } = await newHub();
  const folder = await temporaryFolder();
  const args = ["--data", folder.path];
  const first = await openPrompt({ env, args });
  await first.type(`const one = "remembered"`);
  await first.type(`const u = new db.User({username: "x", password: "hunter2"})`);
  await first.type(`await u.setPassword(\r"hunter3")`);
  await first.close();
  const kept = await Deno.readTextFile(join(folder.path, "shell_history"));
  assert.equal(kept, `const one = "remembered"\n`);
  assert.equal((await Deno.stat(join(folder.path, "shell_history"))).mode! & 0o777, 0o600);
  const second = await openPrompt({ env, args });
  await second.keys("\x1b[A");
  await second.shows(`const one = "remembered"`);
  await second.close();
  await folder.remove();
});

Deno.test("Ctrl-C stops what never ends by ending the session, and a new one begins", async () => {
  const { env } = await newHub();
  await withPrompt({ env }, async (prompt) => {
    await prompt.type(`const held = 1; await new db.Organization({name: "Saved"}).save()`);
    await prompt.keys(`${BEGIN}; while (true) {}\r`);
    await prompt.shows(BEGUN);
    await prompt.keys("\x03");
    await prompt.shows(/A new one begins: what was declared is gone\.\nsextant> $/);
    assert.match(await prompt.type("held"), /held is not defined/);
    assert.match(await prompt.type("await db.Organization.get(1)"), row("name", "Saved"));
  });
});

Deno.test("what fails in passing is told, and the prompt goes on", async () => {
  const { env } = await newHub();
  await withPrompt({ env }, async (prompt) => {
    // The failure comes before or after the value, or after the prompt.
    await prompt.keys(`setTimeout(() => { throw new TypeError("in passing") }, 10); 1\r`);
    await prompt.shows(/^(?=[^]*Error: TypeError: in passing\n)(?=[^]*\n1\n)[^]*sextant> /);
    assert.equal(await prompt.type("1 + 1"), "2");
    await prompt.keys(`Promise.reject(new Error("by nobody awaited")); 1\r`);
    await prompt.shows(/^(?=[^]*Error: by nobody awaited\n)(?=[^]*\n1\n)[^]*sextant> /);
    assert.equal(await prompt.type("2 + 2"), "4");
  });
});

Deno.test("an error is told with all its lines, and its own name once", async () => {
  const { env } = await newHub();
  await withPrompt({ env }, async (prompt) => {
    const printed = await prompt.type(`throw new Error("first\\nsecond\\x1b[2J")`);
    assert.equal(printed, "Error: first\nsecond\u{fffd}[2J");
    assert.equal(
      await prompt.type(`JSON.parse("{")`),
      "Error: SyntaxError: Expected property " +
        "name or '}' in JSON at position 1 (line 1 column 2)",
    );
    const wrong = `await import("data:text/javascript,let let = 1")`;
    assert.match(await prompt.type(wrong), /^Error: (?!TypeError)[^\n]+/);
  });
});

Deno.test("a statement of several lines comes back from the history as one", async () => {
  const { env } = await newHub();
  const folder = await temporaryFolder();
  const args = ["--data", folder.path];
  await withPrompt({ env, args }, async (prompt) => {
    await prompt.type("function twice(n) {\r  return 2 * n\r}");
    await prompt.type("twice(4)");
    await prompt.keys("\x1b[A\x1b[A");
    await prompt.shows("function twice(n) {\n  return 2 * n\n}");
    await prompt.keys("; twice(8)\r");
    await prompt.shows(/\n16\nsextant> $/);
  });
  await withPrompt({ env, args }, async (prompt) => {
    await prompt.keys("\x1b[A\r");
    await prompt.shows(/\n16\nsextant> $/);
  });
  await folder.remove();
});

Deno.test("Ctrl-R searches the history, Ctrl-R again further back, and Escape gives it up", async () => {
  const { env } = await newHub();
  await withPrompt({ env }, async (prompt) => {
    for (const line of ["1 + 100", "2 + 100", "3 + 3"]) await prompt.type(line);
    await prompt.keys("\x12100");
    await prompt.shows("(search: 100) sextant> 2 + 100");
    await prompt.keys("\x12");
    await prompt.shows("(search: 100) sextant> 1 + 100");
    await prompt.keys("\r");
    await prompt.shows(/\n101\nsextant> $/);
    await prompt.keys("half\x12nowhere");
    await prompt.shows("(nothing: nowhere) sextant> half");
    await prompt.keys("\x1b");
    await prompt.shows(/sextant> half$/);
    await prompt.keys("\x03");
  });
});

Deno.test("a deletion at the prompt says what goes along, and asks", async () => {
  const { env } = await newHub();
  await withPrompt({ env }, async (prompt) => {
    await prompt.type(`const o = await new db.Organization({name: "One"}).save()`);
    await prompt.type(`await new db.User({username: "u", password: "p", organization: o}).save()`);
    await prompt.type(`const same = await db.Organization.get(1)`);
    const question = `Organization 1 "One" goes, and with it 1 user. Delete? (y/N) `;
    const deletion = async (answer: string) => {
      await prompt.keys("await o.delete()\r");
      await prompt.shows(question);
      await prompt.keys(answer);
    };
    for (const no of ["\r", "n\r", "\x03"]) {
      await deletion(no);
      await prompt.shows(/Organization 1 "One" stays\.\nsextant> $/);
    }
    await deletion("y\r");
    await prompt.shows(/Organization 1 "One" is deleted, and with it 1 user\.\nsextant> $/);
    const again = await prompt.type("await same.delete({yes: true})");
    assert.equal(again.trim(), `Error: Organization 1 "One" is gone already`);
    // An answer is no statement: the arrow leads to the last of those.
    await prompt.keys("\x1b[A");
    await prompt.shows("await same.delete({yes: true})");
    await prompt.keys("\x03");
  });
});
