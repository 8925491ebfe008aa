import assert from "node:assert/strict";
import { Primary, serversOf } from "./primary.ts";

const [first, second] = serversOf("127.0.0.1,127.0.0.1", "6001,6002") as [
  ReturnType<typeof serversOf>[number],
  ReturnType<typeof serversOf>[number],
];

Deno.test("serversOf() takes one port for all, or one for each", () => {
  assert.deepEqual(serversOf("a,b", "5432"), [{ host: "a", port: 5432 }, {
    host: "b",
    port: 5432,
  }]);
  assert.deepEqual([first, second].map(({ port }) => port), [6001, 6002]);
});

Deno.test("a primary is a server that is no standby", () => {
  const primary = new Primary([first, second]);
  assert.match(primary.objection(first, { standby: true, timeline: 0 })!, /6001 is a standby/);
  assert.equal(primary.objection(second, { standby: false, timeline: 1 }), undefined);
  assert.equal(primary.server, second);
});

Deno.test("a primary of an older timeline is none, whatever it says", () => {
  const primary = new Primary([first, second]);
  assert.equal(primary.objection(first, { standby: false, timeline: 1 }), undefined);
  assert.equal(primary.objection(second, { standby: false, timeline: 2 }), undefined);
  assert.match(primary.objection(first, { standby: false, timeline: 1 })!, /was the primary once/);
  assert.equal(primary.server, second);
  assert.equal(primary.objection(first, { standby: false, timeline: 3 }), undefined);
});

Deno.test("the turn passes on once for all who failed at the same server", () => {
  const primary = new Primary([first, second]);
  primary.isNot(first);
  primary.isNot(first);
  assert.equal(primary.server, second);
  primary.isNot(second);
  assert.equal(primary.server, first);
});
