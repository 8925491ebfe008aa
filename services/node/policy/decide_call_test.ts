import assert from "node:assert/strict";
import { decideCall, readsCalls } from "./decide_call.ts";
import type { CallRequest, Policy } from "./policy.ts";

const call: CallRequest = {
  image: "deno:average@1.0",
  method: "partial",
  args: [],
  kwargs: { column: "age" },
  organizations: 3,
};

function callReason(change: Partial<CallRequest>, policy: Policy): string {
  const decision = decideCall({ ...call, ...change }, policy);
  assert.ok(!decision.allowed, "was allowed");
  return decision.reason;
}

const strict: Policy = {
  minimumOrganizations: 3,
  algorithms: [{
    name: "deno:average",
    methods: {
      central: { minimumOrganizations: 1 },
      partial: { arguments: { column: ["age", "height"], bins: "any" } },
    },
  }],
};

Deno.test("decideCall() goes by method, arguments and number of organizations", () => {
  assert.ok(decideCall(call, {}).allowed);
  assert.ok(decideCall(call, strict).allowed);
  assert.ok(
    decideCall({ ...call, kwargs: { column: ["age", "height"], bins: 9 } }, strict).allowed,
  );
  assert.ok(decideCall({ ...call, method: "central", organizations: 1 }, strict).allowed);
  assert.match(callReason({ method: "dump" }, strict), /"dump".* methods central, partial/);
  assert.match(callReason({ method: "constructor" }, strict), /method "constructor"/);
  assert.match(
    callReason({ kwargs: { column: "name" } }, strict),
    /value of the argument "column"/,
  );
  assert.match(
    callReason({ kwargs: { column: ["age", "name"] } }, strict),
    /value of the argument/,
  );
  assert.match(callReason({ kwargs: { column: { x: 1 } } }, strict), /value of the argument/);
  assert.match(callReason({ kwargs: { where: "1" } }, strict), /argument "where" .* not listed/);
  assert.match(callReason({ args: ["age"] }, strict), /arguments without names/);
  // A number in the owner's file is not its text, nor the other way round, nor what is only loosely
  // the same.
  const bins = (allowed: unknown[]) => ({
    algorithms: [{ name: "deno:average", methods: { partial: { arguments: { bins: allowed } } } }],
  });
  for (const value of ["10", "10.0", true, [[10]], { 0: 10 }, null, [10, "10"]]) {
    assert.match(callReason({ kwargs: { bins: value } }, bins([10])), /value of the argument/);
  }
  assert.match(callReason({ kwargs: { bins: 10 } }, bins(["10"])), /value of the argument/);
  assert.ok(decideCall({ ...call, kwargs: { bins: [10, 10] } }, bins([10, "10"])).allowed);
  assert.match(callReason({ kwargs: { bins: 10 } }, bins([])), /value of the argument/);
  assert.match(callReason({ organizations: 2 }, strict), /minimum_organizations of 3/);
});

Deno.test("decideCall() refuses conditions on rows where the owner does not allow them", () => {
  const where = { column: "age", where: "age > 3" };
  assert.ok(decideCall({ ...call, kwargs: where }, {}).allowed);
  assert.ok(decideCall({ ...call, kwargs: where }, { allowWhere: true }).allowed);
  const policy = { allowWhere: false };
  assert.ok(decideCall(call, policy).allowed);
  assert.ok(decideCall({ ...call, kwargs: { column: "age", where: null } }, policy).allowed);
  for (const one of ["age > 3", "", 0, false, []]) {
    assert.match(
      callReason({ kwargs: { where: one } }, policy),
      /argument "where" of the method "partial": policies\.allow_where is false/,
    );
  }
  // Then a call that is too large to be read is refused, too.
  assert.equal(readsCalls("deno:average@1.0", policy), true);
  assert.equal(readsCalls("deno:average@1.0", {}), false);
});

Deno.test("decideCall() takes an empty list, and a name of every object, for no listed argument", () => {
  for (const value of [[], [[]], {}]) {
    assert.match(callReason({ kwargs: { column: value } }, strict), /value of the argument/);
    assert.ok(decideCall({ ...call, kwargs: { bins: value } }, strict).allowed, "any means any");
  }
  for (const name of ["__proto__", "constructor", "toString"]) {
    const kwargs = JSON.parse(`{"column":"age","${name}":1}`);
    assert.match(callReason({ kwargs }, strict), new RegExp(`argument "${name}" .* not listed`));
  }
});
