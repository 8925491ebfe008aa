import assert from "node:assert/strict";
import { createPatience } from "./patience.ts";

Deno.test("createPatience() counts the time in which the hub is there, and no other", () => {
  let at = 0;
  let there = true;
  const patience = createPatience({ isThere: () => there, patienceMs: 100, now: () => at });
  function after(ms: number): boolean {
    at += ms;
    return patience.isOver();
  }
  assert.equal(after(60), false);
  there = false;
  assert.equal(after(20), false);
  assert.equal(after(1_000_000), false, "nothing of the hub answers");
  there = true;
  assert.equal(after(1_000_000), false, "it was away until now");
  assert.equal(after(30), false);
  assert.equal(after(10), true);
  patience.renew();
  assert.equal(after(99), false);
  assert.equal(after(1), true);
});
