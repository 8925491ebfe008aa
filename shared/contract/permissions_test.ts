import assert from "node:assert/strict";
import {
  demand,
  holdsAtLeast,
  mayCollaboration,
  mayOrganization,
  type Principal,
  reachableOrganizations,
  type RuleName,
  widestScope,
} from "./permissions.ts";

function user(
  rules: RuleName[],
  collaborations = [{ id: 1, organization_ids: [2, 3] }],
): Principal {
  return { kind: "user", id: 7, username: "alice", organization_id: 2, rules, collaborations };
}

Deno.test("mayOrganization() lets GLOBAL reach everywhere, even no organization", () => {
  const principal = user(["node:VIEW:GLOBAL"]);
  assert.equal(mayOrganization(principal, "node:VIEW", 99), true);
  assert.equal(mayOrganization(principal, "node:VIEW", null), true);
});

Deno.test("mayOrganization() lets ORGANIZATION reach the own organization only", () => {
  const principal = user(["node:VIEW:ORGANIZATION"]);
  assert.equal(mayOrganization(principal, "node:VIEW", 2), true);
  assert.equal(mayOrganization(principal, "node:VIEW", 3), false);
  assert.equal(mayOrganization(principal, "node:VIEW", null), false);
});

Deno.test("mayOrganization() lets COLLABORATION reach partners, and oneself only as a member somewhere", () => {
  assert.equal(mayOrganization(user(["node:VIEW:COLLABORATION"]), "node:VIEW", 3), true);
  assert.equal(mayOrganization(user(["node:VIEW:COLLABORATION"]), "node:VIEW", 4), false);
  assert.equal(mayOrganization(user(["node:VIEW:COLLABORATION"], []), "node:VIEW", 2), false);
});

Deno.test("mayCollaboration() is never satisfied by ORGANIZATION", () => {
  assert.equal(mayCollaboration(user(["study:VIEW:ORGANIZATION"]), "study:VIEW", 1), false);
  assert.equal(mayCollaboration(user(["study:VIEW:COLLABORATION"]), "study:VIEW", 1), true);
  assert.equal(mayCollaboration(user(["study:VIEW:COLLABORATION"]), "study:VIEW", 2), false);
  assert.equal(mayCollaboration(user(["study:VIEW:COLLABORATION"]), "study:VIEW", null), false);
  assert.equal(mayCollaboration(user(["study:VIEW:GLOBAL"]), "study:VIEW", null), true);
});

Deno.test("holdsAtLeast() accepts the same or a wider scope of the same operation", () => {
  const principal = user(["task:VIEW:COLLABORATION"]);
  assert.equal(holdsAtLeast(principal, "task:VIEW:OWN"), true);
  assert.equal(holdsAtLeast(principal, "task:VIEW:COLLABORATION"), true);
  assert.equal(holdsAtLeast(principal, "task:VIEW:GLOBAL"), false);
  assert.equal(holdsAtLeast(principal, "task:CREATE:COLLABORATION"), false);
});

Deno.test("widestScope() is undefined without the rule", () => {
  assert.equal(widestScope(user([]), "task:VIEW"), undefined);
  assert.equal(
    widestScope(user(["task:VIEW:OWN", "task:VIEW:ORGANIZATION"]), "task:VIEW"),
    "ORGANIZATION",
  );
});

Deno.test("reachableOrganizations() names each organization once", () => {
  const two = [{ id: 1, organization_ids: [2, 3] }, { id: 2, organization_ids: [2, 3, 4] }];
  assert.deepEqual(reachableOrganizations(user([], two)).sort(), [2, 3, 4]);
});

Deno.test("demand() refuses with v6's status", () => {
  assert.throws(() => demand(false, "do that"), { code: "forbidden", status: 401 });
});
