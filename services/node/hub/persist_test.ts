import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { persist } from "./persist.ts";

const options = {
  what: "do it",
  log: silentLogger,
  signal: new AbortController().signal,
  minMs: 1,
};

/** Fails each time that it is called. */
function failing() {
  const calls = { count: 0 };
  function fail(): Promise<never> {
    calls.count++;
    return Promise.reject(new Error(`number ${calls.count}`));
  }
  return { calls, fail };
}

Deno.test("persist() tries until it succeeds", async () => {
  const { calls, fail } = failing();
  const attempt = () => calls.count < 3 ? fail() : Promise.resolve("done");
  assert.equal(await persist(attempt, options), "done");
  assert.equal(calls.count, 3);
});

Deno.test("persist() throws what cannot be retried", async () => {
  const { calls, fail } = failing();
  const retryable = (error: unknown) => !/7/.test(String(error));
  await assert.rejects(persist(fail, { ...options, retryable }), /number 7/);
  assert.equal(calls.count, 7);
});

Deno.test("persist() tries nothing once its signal is aborted", async () => {
  const { calls, fail } = failing();
  const signal = AbortSignal.abort(new Error("stop"));
  await assert.rejects(persist(fail, { ...options, signal }), /stop/);
  assert.equal(calls.count, 0);
});

Deno.test("persist() ends a pause when its signal is aborted", async () => {
  const control = new AbortController();
  const { calls, fail } = failing();
  const trying = persist(fail, {
    ...options,
    signal: control.signal,
    minMs: 120_000,
    maxMs: 120_000,
  });
  // Microtasks come first, and with them the pause.
  setTimeout(() => control.abort(new Error("stop")), 0);
  await assert.rejects(trying, /stop/);
  assert.equal(calls.count, 1);
});
