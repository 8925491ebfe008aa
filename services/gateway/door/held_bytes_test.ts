import assert from "node:assert/strict";
import { createHeldBytes, type Sender, SMALL_BODY } from "./held_bytes.ts";

const MAX = 2 ** 20;
const user = (id: number, organization_id = id): Sender => ({ kind: "user", id, organization_id });

/** Holds as many bodies of `bytes` as are taken of the sender, at most `most`. */
function fill(held: ReturnType<typeof createHeldBytes>, sender: Sender, bytes: number, most = 100) {
  const taken = [];
  for (let count = 0; count < most; count++) {
    const body = held.bodyOf(sender);
    try {
      body.take(bytes);
    } catch (error) {
      assert.equal((error as { status?: number }).status, 503);
      break;
    }
    taken.push(body);
  }
  return taken;
}

Deno.test("held bytes: one sender has room for two of the largest bodies, and others for theirs", () => {
  const held = createHeldBytes({ maxBody: MAX });
  assert.equal(fill(held, user(1), MAX).length, 2);
  assert.equal(fill(held, user(2), MAX).length, 2);
  // The node 1 is not the user 1.
  assert.equal(fill(held, { kind: "node", id: 1, organization_id: 1 }, MAX).length, 2);
});

Deno.test("held bytes: the users of one organization leave room to others, and all together have eight", () => {
  const held = createHeldBytes({ maxBody: MAX });
  let taken = 0;
  for (let id = 1; id <= 10; id++) taken += fill(held, user(id, 1), MAX).length;
  assert.equal(taken, 6);
  for (let id = 11; id <= 20; id++) taken += fill(held, user(id), MAX).length;
  assert.equal(taken, 8);
});

Deno.test("held bytes: a small body finds room when large ones have taken all of theirs", () => {
  const held = createHeldBytes({ maxBody: MAX });
  for (let id = 1; id <= 10; id++) fill(held, user(id), MAX);
  // That of those who took it, too.
  for (const id of [1, 2, 99]) held.bodyOf(user(id)).take(SMALL_BODY);
  assert.throws(() => held.bodyOf(user(99)).take(SMALL_BODY + 1), { status: 503 });
});

Deno.test("held bytes: a body that grows leaves the room for small ones, and gives all of it back", () => {
  const held = createHeldBytes({ maxBody: MAX, small: 16 * SMALL_BODY });
  const large = held.bodyOf(user(1));
  for (let part = 0; part < 2 * MAX / SMALL_BODY; part++) large.take(SMALL_BODY);
  assert.throws(() => large.take(1), { status: 503 });
  const small = held.bodyOf(user(1));
  small.take(SMALL_BODY); // the room that the large one has left
  assert.throws(() => held.bodyOf(user(1)).take(1), { status: 503 });
  for (const body of [large, large, small, small]) body.giveBack(); // once counts
  assert.equal(fill(held, user(1), MAX).length, 2);
  held.bodyOf(user(1)).take(SMALL_BODY);
});

Deno.test("held bytes: small bodies of one sender that are more than its share count as large ones", () => {
  const held = createHeldBytes({ maxBody: MAX, small: 16 * SMALL_BODY });
  // One in the room for small ones, and what two of the largest are.
  assert.equal(fill(held, user(1), SMALL_BODY).length, 1 + 2 * MAX / SMALL_BODY);
  held.bodyOf(user(2)).take(SMALL_BODY);
});
