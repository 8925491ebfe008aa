import assert from "node:assert/strict";
import { type CallRequest, decideCall, decideTask, matches, type Policy } from "./policy.ts";

const task = {
  image: "deno:average@1.0",
  user: { id: 7 },
  organization: { id: 3, name: "Alpha" },
  databases: ["default"],
};
const call: CallRequest = {
  image: "deno:average@1.0",
  method: "partial",
  args: [],
  kwargs: { column: "age" },
  organizations: 3,
};

function reasonFor(change: Partial<typeof task>, policy: Policy): string {
  const decision = decideTask({ ...task, ...change }, policy);
  assert.ok(!decision.allowed, "was allowed");
  return decision.reason;
}

function callReason(change: Partial<CallRequest>, policy: Policy): string {
  const decision = decideCall({ ...call, ...change }, policy);
  assert.ok(!decision.allowed, "was allowed");
  return decision.reason;
}

Deno.test("decideTask() without rules allows the node's own algorithms and nothing else", () => {
  assert.ok(decideTask(task, {}).allowed);
  const url = "deno:https://example.org/a.ts#sha256=00";
  for (
    const image of [url, "registry.example/v6/average:1", "deno:../x@1", "deno:average", "deno:@1"]
  ) {
    assert.match(reasonFor({ image }, {}), /no policies\.allowed_algorithms are configured/);
  }
});

Deno.test("decideTask() with an empty list refuses everything", () => {
  assert.match(reasonFor({}, { allowedAlgorithms: [] }), /allowed_algorithms is empty/);
});

const DIGEST = "a1".repeat(32);

Deno.test("matches() takes an entry as itself, a name, a digest, or a pattern of the whole", () => {
  const pairs: [entry: string, image: string][] = [
    ["deno:average@1.0", "deno:average@1.0"],
    ["deno:average", "deno:average@2.7"],
    ["registry.example:5000/v6/average", "registry.example:5000/v6/average:4.1"],
    ["registry.example:5000/v6/average", `registry.example:5000/v6/average@sha256:${DIGEST}`],
    ["registry.example:5000/v6/average", `registry.example:5000/v6/average:4.1@sha256:${DIGEST}`],
    [`v6/average@sha256:${DIGEST}`, `v6/average:4.1@sha256:${DIGEST}`],
    [`sha256:${DIGEST}`, `v6/average:4.1@sha256:${DIGEST}`],
    [`sha256:${DIGEST}`, `deno:https://example.org/a.ts#sha256=${DIGEST}`],
    ["deno:https://example.org/a.ts", "deno:https://example.org/a.ts#sha256=aa"],
    ["registry\\.example/v6/.*", "registry.example/v6/average:1"],
    ["deno:(average|sum)@1\\.\\d+", "deno:sum@1.12"],
    ["a|b", "b"],
  ];
  for (const [entry, image] of pairs) assert.ok(matches(entry, image), `${entry} ${image}`);
});

Deno.test("matches() takes no look-alike", () => {
  const pairs: [entry: string, image: string][] = [
    ["deno:average@1.0", "deno:average@1.0.1"],
    ["deno:average@1.0", "deno:average@2.0"],
    ["deno:average", "deno:average2@1.0"],
    ["deno:average", "deno:averagex"],
    ["v6/average", "evil.example/v6/average:1"],
    ["v6/average:1", "v6/average:12"],
    ["v6.average", "v6/average"],
    ["registry.example", "registry.example:5000/v6/average"],
    [`v6/average@sha256:${DIGEST}`, `v6/other@sha256:${DIGEST}`],
    [`sha256:${DIGEST}`, `v6/average:sha256-${DIGEST}`],
    ["deno:https://example.org/a.ts#sha256=aa", "deno:https://example.org/a.ts#sha256=bb"],
    ["registry\\.example/v6/average:[0-9]+", "registry.example/v6/average:1-evil"],
    ["registry\\.example/v6/average:[0-9]+", "evil.example/registry.example/v6/average:1"],
    ["a|b", "bc"],
    ["a|b", "ca"],
    [".*", "one\ntwo"],
  ];
  for (const [entry, image] of pairs) assert.ok(!matches(entry, image), `${entry} ${image}`);
});

Deno.test("decideTask() goes by users and organizations, of which one is enough", () => {
  assert.ok(decideTask(task, { allowedUsers: [7] }).allowed);
  assert.ok(decideTask(task, { allowedOrganizations: [3] }).allowed);
  assert.ok(decideTask(task, { allowedOrganizations: ["Alpha"] }).allowed);
  assert.ok(decideTask(task, { allowedUsers: [1], allowedOrganizations: [3] }).allowed);
  assert.match(reasonFor({}, { allowedUsers: [1] }), /user 7 is not in policies\.allowed_users/);
  assert.match(reasonFor({}, { allowedUsers: [] }), /allowed_users/);
  assert.match(
    reasonFor({}, { allowedOrganizations: ["alpha", 4] }),
    /organization 3 is not in policies\.allowed_organizations/,
  );
  const both = reasonFor({}, { allowedUsers: [1], allowedOrganizations: [1] });
  assert.match(both, /allowed_users, and .*allowed_organizations/);
});

Deno.test("decideTask() gives an algorithm only its databases", () => {
  const policy = { algorithms: [{ name: "deno:average", databases: ["default"] }] };
  assert.ok(decideTask(task, policy).allowed);
  assert.match(
    reasonFor({ databases: ["default", "genes"] }, policy),
    /the database "genes" .* lists the databases default/,
  );
  assert.match(reasonFor({ image: "deno:sum@1" }, policy), /not in policies\.algorithms/);
});

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
  assert.match(callReason({ organizations: 2 }, strict), /minimum_organizations of 3/);
});
