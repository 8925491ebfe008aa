import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { orAbort, persist, sleep } from "./backoff.ts";

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

Deno.test("sleep() ends early when its signal is aborted", async () => {
  await sleep(1, never);
  await assert.rejects(sleep(60_000, aborted), /stop/);
});

Deno.test("persist() tries until it succeeds, meets what cannot be retried, or is told to stop", async () => {
  let count = 0;
  const options = { what: "do it", log: silentLogger, signal: never, minMs: 1 };
  function fails() {
    count++;
    return Promise.reject(new Error(`number ${count}`));
  }
  assert.equal(await persist(() => count < 3 ? fails() : Promise.resolve("done"), options), "done");
  await assert.rejects(
    persist(fails, { ...options, retryable: (error) => !/7/.test(String(error)) }),
    /number 7/,
  );
  await assert.rejects(persist(fails, { ...options, signal: aborted }), /stop/);
  assert.equal(count, 7);
});
