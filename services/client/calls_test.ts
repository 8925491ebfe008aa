import assert from "node:assert/strict";
import { z } from "zod";
import { createCalls } from "./calls.ts";
import type { Session } from "./session.ts";
import { createTransport } from "./transport.ts";

Deno.test("what JSON would make null of is refused, and nothing is sent", async () => {
  let sent = 0;
  const fetch = () => {
    sent++;
    return Promise.resolve(Response.json({}));
  };
  const calls = createCalls(createTransport({ url: "http://hub", fetch }), {} as Session);
  const ask = (timeout_seconds: unknown) =>
    calls.answer("POST", "/task", z.unknown(), { anonymous: true, body: { timeout_seconds } });
  await assert.rejects(
    ask(NaN),
    /^TypeError: Cannot send NaN as "timeout_seconds": JSON has no such number$/,
  );
  await assert.rejects(
    ask([[5, undefined]]),
    /^TypeError: Cannot send a list with undefined at 1: JSON would have null there$/,
  );
  assert.equal(sent, 0);
  await ask([5, { left: undefined }]);
  assert.equal(sent, 1);
});
