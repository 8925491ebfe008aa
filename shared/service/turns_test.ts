import assert from "node:assert/strict";
import { createTurns } from "./turns.ts";

Deno.test("so many at once, the others in order, and a failure gives its place on", async () => {
  const inTurn = createTurns(2);
  const begun: number[] = [];
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<number>());
  const all = ends.map(({ promise }, n) =>
    inTurn(() => {
      begun.push(n);
      return promise;
    })
  );
  all.forEach((one) => one.catch(() => {}));
  assert.deepEqual(begun, [0, 1]);
  ends[1]!.reject(new Error("on purpose"));
  await assert.rejects(all[1]!, /on purpose/);
  assert.deepEqual(begun, [0, 1, 2]);
  ends.forEach(({ resolve }, n) => resolve(n));
  await Promise.allSettled(all);
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
  assert.equal(await all[4], 4);
});
