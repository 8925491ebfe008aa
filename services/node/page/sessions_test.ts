import assert from "node:assert/strict";
import { createSessions } from "./sessions.ts";

Deno.test("a session needs both of its halves, and those of one session", () => {
  const sessions = createSessions();
  const [one, other] = [sessions.begin(), sessions.begin()];
  assert.ok(sessions.has(one) && sessions.has(other));
  for (
    const halves of [
      { cookie: one.cookie, word: "" },
      { cookie: "", word: one.word },
      { cookie: one.cookie, word: other.word },
      { cookie: one.word, word: one.cookie },
    ]
  ) {
    assert.equal(sessions.has(halves), false);
    sessions.end(halves);
  }
  assert.ok(sessions.has(one) && sessions.has(other));
  sessions.end(one);
  assert.deepEqual([sessions.has(one), sessions.has(other)], [false, true]);
});

Deno.test("a session ends after twelve hours, and the oldest one when there are many", () => {
  let now = 0;
  const sessions = createSessions(() => now);
  const first = sessions.begin();
  now = 12 * 3_600_000;
  assert.equal(sessions.has(first), true);
  now++;
  assert.equal(sessions.has(first), false);
  const [oldest, ...others] = Array.from({ length: 17 }, () => sessions.begin());
  assert.equal(sessions.has(oldest!), false);
  assert.ok(others.every((one) => sessions.has(one)));
});
