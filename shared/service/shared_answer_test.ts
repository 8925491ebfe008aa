import assert from "node:assert/strict";
import { shareAnswer } from "./shared_answer.ts";

Deno.test("shareAnswer() works once for all who ask meanwhile and for a while after, also in vain", async () => {
  let now = 0;
  let works = 0;
  let under = Promise.withResolvers<number>();
  const ask = shareAnswer(() => {
    works++;
    return under.promise;
  }, { everyMs: 1000, now: () => now });
  const early = [ask(), ask()];
  now = 5000;
  early.push(ask());
  assert.equal(works, 1, "while it is under way");
  under.resolve(1);
  assert.deepEqual(await Promise.all(early), [1, 1, 1]);
  now = 5999;
  assert.equal(await ask(), 1);
  under = Promise.withResolvers();
  now = 6000;
  const later = ask();
  under.reject(new Error("ill"));
  await assert.rejects(later, /ill/);
  await assert.rejects(ask(), /ill/);
  assert.equal(works, 2);
  now = 7000;
  await assert.rejects(ask(), /ill/);
  assert.equal(works, 3);
});
