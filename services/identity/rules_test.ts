import assert from "node:assert/strict";
import type { Principal } from "../../shared/contract/permissions.ts";
import { DEFAULT_ROLES, ruleName, RULES } from "./rights/catalogue.ts";
import { canAdminister, requireHoldsAll } from "./rules.ts";

Deno.test("RULES are v6's 86, with its ids", () => {
  assert.equal(RULES.length, 86);
  assert.equal(new Set(RULES.map(ruleName)).size, 86);
  const idOf = (name: string) => RULES.find((rule) => ruleName(rule) === name)?.id;
  assert.equal(idOf("node:VIEW:GLOBAL"), 1);
  assert.equal(idOf("collaboration:CREATE:GLOBAL"), 17);
  assert.equal(idOf("organization:EDIT:COLLABORATION"), 25);
  assert.equal(idOf("task:CREATE:COLLABORATION"), 33);
  assert.equal(idOf("user:EDIT:OWN"), 51);
  assert.equal(idOf("event:SEND:GLOBAL"), 75);
  assert.equal(idOf("study:DELETE:ORGANIZATION"), 86);
});

Deno.test("DEFAULT_ROLES hold as many rules as v6's, none of them unknown", () => {
  const known = new Set(RULES.map(ruleName));
  const sizes = DEFAULT_ROLES.map(({ name, rules }) => [name, new Set(rules).size]);
  assert.deepEqual(sizes, [
    ["Root", 86],
    ["container", 8],
    ["node", 10],
    ["Viewer", 15],
    ["Researcher", 17],
    ["Organization Admin", 25],
    ["Collaboration Admin", 41],
  ]);
  assert.ok(DEFAULT_ROLES.every(({ rules }) => rules.every((rule) => known.has(rule))));
});

Deno.test("requireHoldsAll() refuses rules the caller does not hold", () => {
  const principal: Principal = {
    kind: "user",
    id: 1,
    username: "a",
    organization_id: 1,
    rules: ["user:VIEW:ORGANIZATION"],
    collaborations: [],
  };
  requireHoldsAll(principal, ["user:VIEW:ORGANIZATION", "user:VIEW:OWN"]);
  assert.throws(() => requireHoldsAll(principal, ["user:VIEW:GLOBAL"]), {
    code: "forbidden",
    message: /user:VIEW:GLOBAL/,
  });
});

Deno.test("canAdminister() is for whoever holds every permission anywhere, by whichever roles", () => {
  const root = RULES.map(ruleName);
  assert.ok(canAdminister(root));
  assert.ok(canAdminister(root.filter((rule) => rule.endsWith(":GLOBAL"))));
  for (const rule of root.filter((one) => one.endsWith(":GLOBAL"))) {
    assert.ok(!canAdminister(root.filter((one) => one !== rule)), rule);
  }
});
