import assert from "node:assert/strict";
import { ShellError } from "../errors.ts";
import { afterFailure, beforeEvaluation } from "./habits.ts";

const KEYWORDS: [python: string, right: string][] = [
  [
    `db.Collaboration(name="c (d)", encrypted=False, organizations=[o, p]).save()`,
    `new db.Collaboration({name: "c (d)", encrypted: false, organizations: [o, p]}).save()`,
  ],
  [`db.Organization(name="IKNL")`, `new db.Organization({name: "IKNL"})`],
  [
    `o = db.Organization(name="IKNL", domain = "iknl.nl",)`,
    `o = new db.Organization({name: "IKNL", domain: "iknl.nl"})`,
  ],
  [
    `new db.User(username="root", roles="root", organization=o)`,
    `new db.User({username: "root", roles: "root", organization: o})`,
  ],
];

for (const [python, right] of KEYWORDS) {
  Deno.test(`beforeEvaluation() shows the line for ${python}`, () => {
    assert.equal(beforeEvaluation(python), `values are given by name in braces here: ${right}`);
  });
}

Deno.test("beforeEvaluation() takes no notice of what works", () => {
  const working = [
    `new db.Organization({name: "a=b"})`,
    `db.Task.get(id = 1)`,
    `(await db.Task.get()).filter((t) => t.id == 1)`,
    `db.Organization(values)`,
  ];
  for (const one of working) assert.equal(beforeEvaluation(one), undefined, one);
});

const syntax = new ShellError("Syntax error: Unexpected identifier 'for'");

Deno.test("afterFailure() shows what to type instead of a list comprehension", () => {
  const right = (python: string) => afterFailure(python, syntax)?.split(" here: ")[1];
  assert.equal(
    right("[t for t in db.Task.get() if t.complete]"),
    "(await db.Task.get()).filter((t) => t.complete)",
  );
  assert.equal(
    right("names = [o.name for o in organizations]"),
    "names = organizations.map((o) => o.name)",
  );
});

Deno.test("afterFailure() knows Python's own names, and its comments", () => {
  const missing = (name: string) => new ReferenceError(`${name} is not defined`);
  for (const name of ["None", "True", "print", "len", "help", "exit"]) {
    assert.match(afterFailure(`${name}()`, missing(name))!, /is Python's: write /);
  }
  assert.equal(afterFailure("# a comment", syntax), "a comment begins with // here");
  assert.equal(afterFailure("toString", missing("toString")), undefined);
  assert.equal(afterFailure("a b", syntax), undefined);
});

Deno.test("beforeEvaluation() shows how to add to a relation", () => {
  assert.equal(
    beforeEvaluation("user.rules.append(rule)"),
    "a relation is assigned as a whole here: user.rules = [...(await user.rules), rule]",
  );
});
