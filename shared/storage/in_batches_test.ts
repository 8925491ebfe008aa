import assert from "node:assert/strict";
import { inBatches } from "./in_batches.ts";

/** A work that records its calls, each of which ends when told to. */
function recorded() {
  const calls: { items: number[]; end: PromiseWithResolvers<void> }[] = [];
  const add = inBatches((items: number[]) => {
    const end = Promise.withResolvers<void>();
    calls.push({ items, end });
    return end.promise;
  });
  return { calls, add };
}

async function until(condition: () => boolean) {
  for (let turn = 0; turn < 100 && !condition(); turn++) await null;
  assert.ok(condition());
}

Deno.test("inBatches() makes one call of what comes in the same moment", async () => {
  const { calls, add } = recorded();
  const all = Promise.all([add(1), add(2), add(3)]);
  await until(() => calls.length === 1);
  calls[0]!.end.resolve();
  await all;
  assert.deepEqual(calls.map(({ items }) => items), [[1, 2, 3]]);
});

Deno.test("inBatches() gathers what comes during a call for the next", async () => {
  const { calls, add } = recorded();
  const first = add(1);
  await until(() => calls.length === 1);
  const others = Promise.all([add(2), add(3)]);
  calls[0]!.end.resolve();
  await first;
  await until(() => calls.length === 2);
  calls[1]!.end.resolve();
  await others;
  assert.deepEqual(calls.map(({ items }) => items), [[1], [2, 3]]);
});

Deno.test("inBatches() with a pause gathers what comes in it", async () => {
  const calls: number[][] = [];
  const add = inBatches((items: number[]) => Promise.resolve(calls.push(items)), { pauseMs: 20 });
  const first = add(1);
  await new Promise((resolve) => setTimeout(resolve));
  await Promise.all([first, add(2)]);
  assert.deepEqual(calls, [[1, 2]]);
});

Deno.test("inBatches() tells a failure to those whose items were in the call, and goes on", async () => {
  const { calls, add } = recorded();
  const failing = assert.rejects(add(1), /gone/);
  await until(() => calls.length === 1);
  const good = add(2);
  calls[0]!.end.reject(new Error("gone"));
  await failing;
  await until(() => calls.length === 2);
  calls[1]!.end.resolve();
  await good;
});
