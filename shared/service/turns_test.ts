import assert from "node:assert/strict";
import { createTurns, takeTurn } from "./turns.ts";

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

Deno.test("takeTurn() has its turn until it is given back, and the next one waits for that", async () => {
  const inTurn = createTurns(1);
  const giveBack = await takeTurn(inTurn);
  const order: string[] = [];
  const second = takeTurn(inTurn).then((giveBack) => {
    order.push("second");
    giveBack();
  });
  const third = inTurn(() => Promise.resolve(order.push("third")));
  await Promise.resolve();
  order.push("first");
  giveBack();
  await Promise.all([second, third]);
  assert.deepEqual(order, ["first", "second", "third"]);
});
