import assert from "node:assert/strict";
import { createSlots, holdSlot } from "./slots.ts";

const never = new AbortController().signal;

/** Whether `promise` has settled once everything that is ready has run. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  await new Promise((resolve) => setTimeout(resolve));
  return await Promise.race([promise, Promise.resolve(pending)]) !== pending;
}

Deno.test("holdSlot() waits while all slots are held and enters in order", async () => {
  const slots = createSlots(1);
  const first = await holdSlot(slots, never);
  const second = holdSlot(slots, never);
  const third = holdSlot(slots, never);
  assert.equal(await settled(second), false);
  first.release();
  assert.equal(await settled(second), true);
  assert.equal(await settled(third), false);
  (await second).release();
  (await third).release();
});

Deno.test("holdSlot() leaves the queue when its signal is aborted", async () => {
  const slots = createSlots(1);
  const first = await holdSlot(slots, never);
  const gone = new AbortController();
  const second = holdSlot(slots, gone.signal);
  gone.abort(new Error("killed"));
  await assert.rejects(second, /killed/);
  first.release();
  (await holdSlot(slots, never)).release();
});

Deno.test("Hold.without() lets another run in, and comes back before new ones", async () => {
  const slots = createSlots(1);
  const central = await holdSlot(slots, never);
  const subtask = Promise.withResolvers<string>();
  const waiting = central.without(() => subtask.promise);
  const partial = await holdSlot(slots, never);
  const newcomer = holdSlot(slots, never);
  subtask.resolve("result");
  assert.equal(await settled(waiting), false);
  partial.release();
  assert.equal(await waiting, "result");
  assert.equal(await settled(newcomer), false);
  central.release();
  (await newcomer).release();
});

Deno.test("Hold.without() keeps no slot for a run that has ended meanwhile", async () => {
  const slots = createSlots(1);
  const run = await holdSlot(slots, never);
  const subtask = Promise.withResolvers<void>();
  const waiting = run.without(() => subtask.promise);
  run.release();
  subtask.resolve();
  await waiting;
  (await holdSlot(slots, never)).release();
});

Deno.test("Hold.without() counts several things waited for at once as one wait", async () => {
  const slots = createSlots(1);
  const run = await holdSlot(slots, never);
  const [a, b] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const waits = [run.without(() => a.promise), run.without(() => b.promise)];
  const partial = await holdSlot(slots, never);
  a.resolve();
  assert.equal(await settled(waits[0]!), true);
  b.resolve();
  assert.equal(await settled(waits[1]!), false);
  partial.release();
  await waits[1];
  run.release();
  (await holdSlot(slots, never)).release();
});

Deno.test("Hold.without() keeps one slot for a run that waits again before it has one", async () => {
  for (const endsFirst of [true, false]) {
    const slots = createSlots(1);
    const run = await holdSlot(slots, never);
    const [a, b] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const waits = [run.without(() => a.promise)];
    const other = await holdSlot(slots, never);
    a.resolve();
    assert.equal(await settled(waits[0]!), false);
    waits.push(run.without(() => b.promise));
    if (endsFirst) b.resolve();
    assert.equal(await settled(waits[1]!), false);
    other.release();
    assert.equal(await settled(waits[0]!), true);
    if (!endsFirst) {
      (await holdSlot(slots, never)).release();
      b.resolve();
    }
    assert.equal(await settled(waits[1]!), true);
    const next = holdSlot(slots, never);
    assert.equal(await settled(next), false, "it computes");
    run.release();
    (await next).release();
    assert.equal(await settled(holdSlot(slots, never)), true);
  }
});
