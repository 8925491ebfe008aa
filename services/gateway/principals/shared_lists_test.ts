import assert from "node:assert/strict";
import type { Principal } from "../../../shared/contract/permissions.ts";
import { createSharedLists } from "./shared_lists.ts";

function nodeOf(id: number, members: number[], rules = ["task:VIEW:ORGANIZATION"]): Principal {
  const collaborations = [{ id: 5, organization_ids: [...members] }];
  return { kind: "node", id, organization_id: id, collaboration_id: 5, rules, collaborations };
}

const membersOf = (principal: Principal) => principal.collaborations[0]!.organization_ids;

Deno.test("The members of a collaboration are one list for all its principals", () => {
  const lists = createSharedLists();
  const [one, other] = [nodeOf(1, [1, 2, 3]), nodeOf(2, [1, 2, 3])].map(lists.in);
  assert.deepEqual(other, nodeOf(2, [1, 2, 3]));
  assert.equal(membersOf(other!), membersOf(one!));
  assert.equal(other!.rules, one!.rules);
});

Deno.test("Principals who are told of other members, or have other rules, keep their own", () => {
  const lists = createSharedLists();
  const before = lists.in(nodeOf(1, [1, 2, 3]));
  for (const members of [[1, 2], [1, 2, 4], [1, 2, 3, 4]]) {
    assert.deepEqual(membersOf(lists.in(nodeOf(2, members))), members);
  }
  assert.deepEqual(membersOf(before), [1, 2, 3]);
  assert.deepEqual(lists.in(nodeOf(3, [1], [])).rules, []);
  const user: Principal = {
    kind: "user",
    id: 1,
    username: "ada",
    organization_id: 1,
    rules: ["user:VIEW:OWN"],
    collaborations: [],
  };
  assert.deepEqual(lists.in(user), user);
});
