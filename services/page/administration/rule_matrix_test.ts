import assert from "node:assert/strict";
import type { Principal, RuleName } from "../../../shared/contract/permissions.ts";
import type { Rule } from "../../../shared/contract/rule.ts";
import { beyond, type Cell, choiceIn, matrixOf, withChoice } from "./rule_matrix.ts";

const NAMES = [
  "task:VIEW:GLOBAL",
  "task:VIEW:OWN",
  "task:VIEW:COLLABORATION",
  "task:CREATE:COLLABORATION",
  "node:VIEW:ORGANIZATION",
  "dream:VIEW:GLOBAL",
];
const RULES: Rule[] = NAMES.map((text, index) => {
  const [name, operation, scope] = text.split(":") as [string, string, string];
  return { id: index + 1, name, operation, scope, description: "", users: "" };
});
const idsOf = (...names: string[]) => names.map((name) => NAMES.indexOf(name) + 1);

function cellOf(noun: string, operation: string): Cell {
  return matrixOf(RULES).rows.find((row) => row.noun === noun)!.cells
    .find((cell) => cell?.operation === operation)!;
}

function holder(...rules: RuleName[]): Principal {
  return { kind: "user", id: 1, username: "u", organization_id: 1, rules, collaborations: [] };
}

Deno.test("matrixOf() has a cell for each noun and operation, narrow scopes first, unknown nouns last", () => {
  const { operations, rows } = matrixOf(RULES);
  assert.deepEqual(operations, ["VIEW", "CREATE"]);
  assert.deepEqual(rows.map(({ noun }) => noun), ["node", "task", "dream"]);
  const [node, task] = rows;
  assert.equal(node!.cells[1], undefined);
  assert.deepEqual(task!.cells[0]!.rules.map(({ scope }) => scope), [
    "OWN",
    "COLLABORATION",
    "GLOBAL",
  ]);
});

Deno.test("choiceIn() tells a stair of scopes from a set that has gaps", () => {
  const cell = cellOf("task", "VIEW");
  assert.equal(choiceIn(cell, []), "");
  assert.equal(choiceIn(cell, idsOf("task:VIEW:OWN")), "OWN");
  assert.equal(choiceIn(cell, idsOf("task:VIEW:OWN", "task:VIEW:COLLABORATION")), "COLLABORATION");
  assert.equal(choiceIn(cell, idsOf("task:VIEW:GLOBAL")), "mixed");
});

Deno.test("withChoice() changes one cell alone, and a mixed one comes back as it was", () => {
  const cell = cellOf("task", "VIEW");
  const before = idsOf("task:VIEW:GLOBAL", "node:VIEW:ORGANIZATION");
  const wide = withChoice(cell, "COLLABORATION", { held: before, before });
  assert.deepEqual(
    new Set(wide),
    new Set(idsOf("node:VIEW:ORGANIZATION", "task:VIEW:OWN", "task:VIEW:COLLABORATION")),
  );
  assert.deepEqual(new Set(withChoice(cell, "mixed", { held: wide, before })), new Set(before));
  assert.deepEqual(withChoice(cell, "", { held: wide, before }), idsOf("node:VIEW:ORGANIZATION"));
});

Deno.test("beyond() names what the asker would give or take without holding it", () => {
  const cell = cellOf("task", "VIEW");
  const who = holder("task:VIEW:COLLABORATION");
  assert.deepEqual(beyond(cell, "COLLABORATION", { who, before: [] }), []);
  const wide = beyond(cell, "GLOBAL", { who, before: [] });
  assert.deepEqual(wide.map(({ scope }) => scope), ["GLOBAL"]);
  const taken = beyond(cell, "", { who, before: idsOf("task:VIEW:GLOBAL") });
  assert.deepEqual(taken.map(({ scope }) => scope), ["GLOBAL"]);
  // What stays as it is, is nobody's gift.
  assert.deepEqual(beyond(cell, "mixed", { who, before: idsOf("task:VIEW:GLOBAL") }), []);
});
