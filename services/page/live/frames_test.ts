import assert from "node:assert/strict";
import { createFrames } from "./frames.ts";
import type { News } from "./mirror.ts";
import { isOlder } from "./order.ts";

Deno.test("frames hand on together what comes between two drawings", () => {
  const due: (() => void)[] = [];
  const heard: News<number>[] = [];
  const frames = createFrames<number>((news) => heard.push(news), (then) => due.push(then));
  for (let n = 0; n < 200; n++) frames.add(n);
  assert.equal(due.length, 1);
  due.shift()!();
  assert.deepEqual(heard, [{ events: Array.from({ length: 200 }, (_, n) => n), afresh: false }]);
  frames.lookAfresh();
  frames.add(7);
  due.shift()!();
  assert.deepEqual(heard[1], { events: [7], afresh: true });
  assert.equal(due.length, 0, "nothing is drawn when nothing happens");
});

Deno.test("frames ask afresh in place of keeping more than a drawing can take", () => {
  const due: (() => void)[] = [];
  const heard: News<number>[] = [];
  const frames = createFrames<number>((news) => heard.push(news), (then) => due.push(then));
  for (let n = 0; n <= 20_000; n++) frames.add(n);
  due.shift()!();
  assert.deepEqual(heard, [{ events: [20_000], afresh: true }]);
});

Deno.test("isOlder holds an event of before the hub's answer back", () => {
  const known = { status: "completed", attempt: 2 };
  assert.equal(isOlder({ status: "active", attempt: 2 }, known), true);
  assert.equal(isOlder({ status: "completed", attempt: 1 }, known), true);
  assert.equal(isOlder({ status: "failed", attempt: 2 }, known), false);
  assert.equal(isOlder({ status: "pending", attempt: 3 }, known), false);
});
