import assert from "node:assert/strict";
import { createBeginnings } from "./audit_beginnings.ts";

const PATH = "/api/task/999999";

function refuse(times: number, look: () => { recorded: boolean }): number {
  let recorded = 0;
  for (let n = 0; n < times; n++) recorded += Number(look().recorded);
  return recorded;
}

Deno.test("beginnings: a user's refusals are recorded from the first, whatever they ask, and others' too", () => {
  const beginnings = createBeginnings({ now: () => 0 });
  let n = 0;
  const user = { kind: "user", id: 1 };
  assert.equal(refuse(5000, () => beginnings.look(user, `/api/task/${n++}`)), 300);
  for (const who of [{ kind: "user", id: 2 }, { kind: "node", id: 1 }]) {
    assert.deepEqual(beginnings.look(who, PATH), { recorded: true, unrecorded: 0 });
  }
});

Deno.test("beginnings: of strangers each path has its own, and many paths are one", () => {
  const beginnings = createBeginnings({ now: () => 0 });
  assert.equal(refuse(3000, () => beginnings.look(undefined, "/api/token/user")), 1000);
  assert.equal(refuse(3000, () => beginnings.look(undefined, "/api/recover/lost")), 1000);
  let n = 0;
  // 98 further paths, and all others together.
  assert.equal(refuse(10_000, () => beginnings.look(undefined, `/api/${n++}`)), 98 + 1000);
});

Deno.test("beginnings: a flood that goes on is recorded now and then, with how many were left out", () => {
  let now = 0;
  const beginnings = createBeginnings({ now: () => now });
  const who = { kind: "container", id: 3 };
  assert.equal(refuse(1000, () => beginnings.look(who, PATH)), 300);
  now += 6_000;
  assert.deepEqual(beginnings.look(who, PATH), { recorded: true, unrecorded: 700 });
  assert.deepEqual(beginnings.look(who, PATH), { recorded: false, unrecorded: 1 });
  now += 3_600_000; // it has ended: there is a beginning again
  assert.deepEqual(beginnings.look(who, PATH), { recorded: true, unrecorded: 1 });
  assert.equal(refuse(1000, () => beginnings.look(who, PATH)), 299);
});
