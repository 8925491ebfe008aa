import assert from "node:assert/strict";
import { createRenewal } from "./renewal.ts";

const HOUR = 3_600_000;

/** Of many agents with one credential each: how many ask within each second after a loss. */
function asksAfterLoss(agents: number, seconds: number): number[] {
  let at = 0;
  const all = Array.from(
    { length: agents },
    (_, n) => createRenewal({ lifetimeMs: HOUR, now: () => at, random: () => n / agents }),
  );
  at = HOUR / 4;
  for (const one of all) assert.equal(one.isDue(true), false);
  const asked = new Set<number>();
  return Array.from({ length: seconds }, () => {
    const before = asked.size;
    for (const [n, one] of all.entries()) {
      if (one.isDue(false)) asked.add(n);
    }
    at += 1000;
    return asked.size - before;
  });
}

Deno.test("createRenewal() asks nobody while a broker restarts, and not all at once when it stays away", () => {
  const asks = asksAfterLoss(1000, 40);
  assert.deepEqual(asks.slice(0, 15), new Array(15).fill(0));
  assert.equal(asks.reduce((sum, one) => sum + one, 0), 1000);
  assert.ok(Math.max(...asks) < 100, `${asks}`);
});

Deno.test("createRenewal() counts from the last loss, and not from the credential's beginning", () => {
  let at = 0;
  const renewal = createRenewal({ lifetimeMs: HOUR, now: () => at, random: () => 1 });
  const after = (ms: number, isUp: boolean) => {
    at += ms;
    return renewal.isDue(isUp);
  };
  assert.equal(after(0, false), false);
  assert.equal(after(29_000, false), false);
  assert.equal(after(1, true), false);
  assert.equal(after(60_000, false), false);
  assert.equal(after(29_999, false), false);
  assert.equal(after(1, false), true);
});

Deno.test("createRenewal() asks at half of the credential's time, and sooner of a short one", () => {
  let at = 0;
  const renewal = createRenewal({ lifetimeMs: HOUR, now: () => at });
  at = HOUR / 2 - 1;
  assert.equal(renewal.isDue(true), false);
  at = HOUR / 2;
  assert.equal(renewal.isDue(true), true);
  const short = createRenewal({ lifetimeMs: 20_000, now: () => at, random: () => 0 });
  assert.equal(short.lookEveryMs, 2000);
  assert.equal(short.isDue(false), false);
  at += 1000;
  assert.equal(short.isDue(false), true);
});
