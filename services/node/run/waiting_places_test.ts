import assert from "node:assert/strict";
import { createSlots, holdSlot } from "./slots.ts";
import { createWaitingPlaces, TooManyWaitError } from "./waiting_places.ts";

const never = new AbortController().signal;

async function settled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  await new Promise((resolve) => setTimeout(resolve));
  return await Promise.race([promise, Promise.resolve(pending)]) !== pending;
}

Deno.test("WaitingPlaces bounds the runs of persons' tasks that have begun, and lets in the next in order", async () => {
  const places = createWaitingPlaces(2);
  const leave = await places.take(never);
  await places.take(never);
  const gone = new AbortController();
  const killed = places.take(gone.signal);
  const third = places.take(never);
  gone.abort(new Error("killed"));
  await assert.rejects(killed, /killed/);
  assert.equal(await settled(third), false);
  leave();
  assert.equal(await settled(third), true);
});

Deno.test("WaitingPlaces counts what has begun before: the next ones wait until there is room again", async () => {
  const places = createWaitingPlaces(1);
  const leave = [places.occupy(), places.occupy()];
  const next = places.take(never);
  leave[0]!();
  assert.equal(await settled(next), false, "one is there still");
  leave[1]!();
  assert.equal(await settled(next), true);
});

Deno.test("a partial run computes though all waiting places are taken, and its central run goes on", async () => {
  const places = createWaitingPlaces(2);
  const slots = createSlots(1);
  const subtask = Promise.withResolvers<string>();
  const waiting = [];
  for (let n = 0; n < 2; n++) {
    await places.take(never);
    const hold = await holdSlot(slots, never);
    waiting.push(hold.whileWaiting(() => subtask.promise).finally(hold.release));
  }
  assert.equal(await settled(places.take(never)), false, "no further central run begins");
  const partial = await holdSlot(slots, never, places.takeNow);
  subtask.resolve("result");
  partial.release();
  assert.deepEqual(await Promise.all(waiting), ["result", "result"]);
});

Deno.test("Hold.whileWaiting() refuses a run of a subtask beyond the bound, which then still has its slot", async () => {
  const places = createWaitingPlaces(1);
  const slots = createSlots(1);
  const [a, b] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const one = await holdSlot(slots, never, places.takeNow);
  // However many things it waits for, it is one run.
  const waits = [one.whileWaiting(() => a.promise), one.whileWaiting(() => b.promise)];
  const other = await holdSlot(slots, never, places.takeNow);
  await assert.rejects(other.whileWaiting(() => a.promise), (error) => {
    assert.ok(error instanceof TooManyWaitError);
    assert.match(error.message, /as many .* as may \(max_waiting_runs: 1\)/);
    return true;
  });
  const next = holdSlot(slots, never);
  assert.equal(await settled(next), false, "the refused one computes");
  other.release();
  (await next).release();
  a.resolve();
  b.resolve();
  await Promise.all(waits);
  one.release();
  const later = await holdSlot(slots, never, places.takeNow);
  await later.whileWaiting(() => Promise.resolve());
  later.release();
});
