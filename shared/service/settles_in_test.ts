import assert from "node:assert/strict";
import { settlesIn } from "./settles_in.ts";

Deno.test("settlesIn() tells whether a promise is fulfilled in time, and rejects as it does", async () => {
  assert.equal(await settlesIn(60_000, Promise.resolve("done")), true);
  assert.equal(await settlesIn(1, new Promise(() => {})), false);
  await assert.rejects(settlesIn(60_000, Promise.reject(new Error("on purpose"))), /on purpose/);
});
