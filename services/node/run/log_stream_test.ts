import assert from "node:assert/strict";
import { MAX_LOG_PIECE } from "../../../shared/node_protocol/limits.ts";
import { MAX_PAYLOAD } from "../../../shared/broker/limits.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { startTestNats } from "../../../tests/support/nats.ts";
import { createLogStream, createSendLog } from "./log_stream.ts";

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

Deno.test("LogStream bounds a message by what it takes on its way, not by its characters", () => {
  const sent: { seq: number; lines: string[] }[] = [];
  const stream = createLogStream({ send: (message) => sent.push(message), everyMs: 60_000 });
  stream.push(["first"]);
  for (let count = 0; count < 200; count++) stream.push(["\x01".repeat(1000)]);
  stream.push(["later than what was left out"]);
  stream.end();
  const { lines } = sent[1]!;
  assert.ok(new TextEncoder().encode(JSON.stringify(lines)).length <= MAX_LOG_PIECE + 100);
  assert.equal(lines.at(-1), `[${202 - lines.length} more lines]`);
  assert.ok(lines.slice(0, -1).every((line) => line.length === 1000));
});

Deno.test("createSendLog() lets nobody suffer from what the broker does not take", async () => {
  const nats = await startTestNats();
  try {
    const { nc } = await nats.service("task");
    const warnings: string[] = [];
    const log = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    const broker = { publish: (subject: string, data: Uint8Array) => nc.publish(subject, data) };
    const sendLog = createSendLog({ broker, nodeId: 7, log });
    const attempt = { result_id: 11, attempt: 1 };
    sendLog(attempt, { seq: 0, lines: ["x".repeat(MAX_PAYLOAD)] });
    await nc.close();
    sendLog(attempt, { seq: 1, lines: ["too late"] });
    assert.equal(warnings.length, 2);
  } finally {
    await nats.stop();
  }
});
