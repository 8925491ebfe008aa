import assert from "node:assert/strict";
import type { Principal, RuleName } from "../../shared/contract/permissions.ts";
import { mayAddOrganization, mayNode, mayStudy } from "../../shared/contract/place_permissions.ts";
import { mayViewCollaboration, mayViewStore, nodeListReach } from "./rules.ts";

/** Somebody of organization 1, which shares collaboration 10 with organization 2. */
function caller(...rules: RuleName[]): Principal {
  return {
    kind: "user",
    id: 1,
    username: "u",
    organization_id: 1,
    rules,
    collaborations: [{ id: 10, organization_ids: [1, 2] }],
  };
}

function machine(...rules: RuleName[]): Principal {
  const { username: _, ...base } = caller(...rules) as Extract<Principal, { kind: "user" }>;
  return { ...base, kind: "node", collaboration_id: 10 };
}

const places = {
  own: { organization_id: 1, collaboration_id: 10 },
  ownElsewhere: { organization_id: 1, collaboration_id: 11 },
  same: { organization_id: 2, collaboration_id: 10 },
  sameElsewhere: { organization_id: 2, collaboration_id: 12 },
  foreign: { organization_id: 3, collaboration_id: 13 },
};
const where = (allowed: (place: typeof places.own) => boolean) =>
  Object.entries(places).filter(([, place]) => allowed(place)).map(([name]) => name);

Deno.test("mayNode() asks for the organization or for the collaboration, as the scope says", () => {
  const edit = (principal: Principal) => where((place) => mayNode(principal, "node:EDIT", place));
  assert.deepEqual(edit(caller()), []);
  assert.deepEqual(edit(caller("node:EDIT:ORGANIZATION")), ["own", "ownElsewhere"]);
  assert.deepEqual(edit(caller("node:EDIT:COLLABORATION")), ["own", "same"]);
  assert.deepEqual(edit(caller("node:EDIT:GLOBAL")), Object.keys(places));
  assert.deepEqual(edit(caller("node:VIEW:GLOBAL")), []);
});

Deno.test("mayNode() lets a node edit itself and see its organization's", () => {
  const node = machine("node:EDIT:ORGANIZATION", "node:VIEW:ORGANIZATION");
  assert.deepEqual(where((place) => mayNode(node, "node:EDIT", place)), ["own"]);
  assert.deepEqual(where((place) => mayNode(node, "node:VIEW", place)), ["own", "ownElsewhere"]);
});

Deno.test("mayAddOrganization() adds nobody to one's own reach", () => {
  const admin = caller("collaboration:EDIT:COLLABORATION");
  const added = [1, 2, 3].filter((organization) => mayAddOrganization(admin, 10, organization));
  assert.deepEqual(added, [1, 2]);
  assert.ok(!mayAddOrganization(admin, 13, 1));
  assert.ok(mayAddOrganization(caller("collaboration:EDIT:GLOBAL"), 13, 3));
});

Deno.test("mayViewCollaboration() and mayViewStore() go by membership", () => {
  const member = caller("collaboration:VIEW:ORGANIZATION");
  assert.deepEqual([10, 13].filter((id) => mayViewCollaboration(member, id)), [10]);
  assert.deepEqual(
    [10, 13, null].filter((collaboration_id) => mayViewStore(member, { collaboration_id })),
    [10, null],
  );
  assert.ok(!mayViewStore(caller(), { collaboration_id: null }));
});

Deno.test("mayStudy() is true in any of three ways", () => {
  const study = (collaboration_id: number, ...organization_ids: number[]) => ({
    collaboration_id,
    organization_ids,
  });
  const organization = caller("study:EDIT:ORGANIZATION");
  assert.ok(mayStudy(organization, "study:EDIT", study(10, 1, 2)));
  assert.ok(!mayStudy(organization, "study:EDIT", study(10, 2)));
  const collaboration = caller("study:EDIT:COLLABORATION");
  assert.ok(mayStudy(collaboration, "study:EDIT", study(10, 2)));
  assert.ok(!mayStudy(collaboration, "study:EDIT", study(13, 3)));
  assert.ok(mayStudy(caller("study:EDIT:GLOBAL"), "study:EDIT", study(13, 3)));
  assert.ok(mayStudy(machine("study:VIEW:ORGANIZATION"), "study:VIEW", study(10, 1)));
  assert.ok(!mayStudy(machine("study:VIEW:ORGANIZATION"), "study:VIEW", study(11, 1)));
});

Deno.test("nodeListReach() is the widest scope held", () => {
  assert.equal(nodeListReach(caller("node:VIEW:GLOBAL")), "all");
  const both = caller("node:VIEW:ORGANIZATION", "node:VIEW:COLLABORATION");
  assert.deepEqual(nodeListReach(both), [10]);
  assert.equal(nodeListReach(caller("node:VIEW:ORGANIZATION")), "own organization");
});
