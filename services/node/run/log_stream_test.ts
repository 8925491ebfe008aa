import assert from "node:assert/strict";
import { createLogStream } from "./log_stream.ts";

Deno.test("LogStream sends a first line at once and gathers what follows", () => {
  const sent: { seq: number; lines: string[] }[] = [];
  const stream = createLogStream({ send: (message) => sent.push(message), everyMs: 60_000 });
  stream.push(["first"]);
  assert.deepEqual(sent, [{ seq: 0, lines: ["first"] }]);
  stream.push(["second"]);
  stream.push(["third"]);
  assert.equal(sent.length, 1);
  stream.end();
  assert.deepEqual(sent[1], { seq: 1, lines: ["second", "third"] });
  stream.end();
  assert.equal(sent.length, 2);
});

Deno.test("LogStream leaves out what nobody could read, and says how much", () => {
  const sent: { seq: number; lines: string[] }[] = [];
  const stream = createLogStream({
    send: (message) => sent.push(message),
    everyMs: 60_000,
    maxLines: 2,
    maxLength: 3,
  });
  stream.push(["x"]);
  stream.push(["abcdef", "b"]);
  stream.push(["c", "d"]);
  stream.end();
  assert.deepEqual(sent[1]?.lines, ["abc", "b", "[2 more lines]"]);
});

Deno.test("LogStream sends what was gathered when the time has come", async () => {
  const { promise, resolve } = Promise.withResolvers<string[]>();
  const stream = createLogStream({
    send: ({ seq, lines }) => seq === 1 && resolve(lines),
    everyMs: 5,
  });
  stream.push(["a"]);
  stream.push(["b"]);
  assert.deepEqual(await promise, ["b"]);
  stream.end();
});
