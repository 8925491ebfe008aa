import assert from "node:assert/strict";
import { orAbort } from "./or_abort.ts";

const never = new AbortController().signal;
const aborted = AbortSignal.abort(new Error("stop"));

Deno.test("orAbort() prefers the signal, even to a promise that is settled", async () => {
  assert.equal(await orAbort(Promise.resolve(1), never), 1);
  await assert.rejects(orAbort(Promise.resolve(1), aborted), /stop/);
  await assert.rejects(orAbort(Promise.reject(new Error("late")), aborted), /stop/);
  const control = new AbortController();
  const waiting = orAbort(new Promise(() => {}), control.signal);
  control.abort(new Error("stop"));
  await assert.rejects(waiting, /stop/);
});
