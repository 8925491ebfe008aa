import assert from "node:assert/strict";
import { createRateLimiter } from "./rate_limiter.ts";

Deno.test("createRateLimiter() lets a burst through, then one for each that came back", () => {
  let now = 0;
  const limiter = createRateLimiter({ burst: 3, perMinute: 6, now: () => now });
  assert.deepEqual([1, 2, 3, 4].map(() => limiter.take("a")), [0, 0, 0, 10]);
  assert.equal(limiter.take("b"), 0);
  now = 10_000;
  assert.equal(limiter.take("a"), 0);
  assert.equal(limiter.take("a"), 10);
  limiter.giveBack("a");
  assert.equal(limiter.take("a"), 0);
});

Deno.test("createRateLimiter() forgets the key not heard of for longest", () => {
  const limiter = createRateLimiter({ burst: 1, perMinute: 1, now: () => 0, maxKeys: 2 });
  for (const key of ["a", "b", "b", "c"]) limiter.take(key);
  assert.ok(limiter.take("b") > 0);
  assert.equal(limiter.take("a"), 0);
});
