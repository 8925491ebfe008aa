import assert from "node:assert/strict";
import { createFairTurns } from "./fair_turns.ts";

Deno.test("createFairTurns() takes from one party after the other, each in its order", async () => {
  const inTurn = createFairTurns<string>(1);
  const begun: string[] = [];
  const first = Promise.withResolvers<void>();
  const all = [inTurn("a", () => first.promise)];
  for (const name of ["a1", "a2", "a3", "b1", "b2", "c1"]) {
    all.push(inTurn(name[0]!, () => Promise.resolve(void begun.push(name))));
  }
  assert.deepEqual(begun, []);
  first.resolve();
  await Promise.all(all);
  assert.deepEqual(begun, ["a1", "b1", "c1", "a2", "b2", "a3"]);
});

Deno.test("createFairTurns() goes on after work that fails, and never exceeds its bound", async () => {
  const inTurn = createFairTurns<number>(2);
  let running = 0;
  let most = 0;
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, n) =>
      inTurn(n % 3, async () => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        if (n % 2) throw new Error("odd");
        return n;
      })),
  );
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 10);
  assert.equal(most, 2);
  assert.equal(await inTurn(1, () => Promise.resolve("free")), "free");
});

Deno.test("createFairTurns() leaves half of the places to others, whatever one party begins", async () => {
  const inTurn = createFairTurns<string>(4);
  const slow = Promise.withResolvers<void>();
  let begun = 0;
  const all = Array.from({ length: 9 }, () =>
    inTurn("slow", () => {
      begun++;
      return slow.promise;
    }));
  for (let n = 0; n < 5; n++) {
    assert.equal(await inTurn(`quick ${n % 2}`, () => Promise.resolve(n)), n);
  }
  assert.equal(begun, 2);
  slow.resolve();
  await Promise.all(all);
  assert.equal(begun, 9);
});
