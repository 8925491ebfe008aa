import assert from "node:assert/strict";
import { createRunLog } from "./run_log.ts";

function start(maxBytes: number) {
  const lines: string[] = [];
  const log = createRunLog({ maxBytes, onLines: (some) => lines.push(...some) });
  const write = log.writer();
  const encoder = new TextEncoder();
  return { log, lines, print: (text: string) => write(encoder.encode(text)) };
}

Deno.test("createRunLog() hands on whole lines as they come and keeps them all", () => {
  const { log, lines, print } = start(100);
  print("one\ntw");
  assert.deepEqual(lines, ["one"]);
  print("o\n\nthree");
  assert.deepEqual(lines, ["one", "two", ""]);
  assert.equal(log.text(), "one\ntwo\n\nthree");
});

Deno.test("createRunLog() keeps the lines of two streams apart", () => {
  const { log, print } = start(100);
  const write = log.writer();
  print("ou");
  write(new TextEncoder().encode("err\n"));
  print("t\n");
  assert.equal(log.text(), "err\nout");
});

Deno.test("createRunLog() cuts at the limit, says so and hands on nothing more", () => {
  const { log, lines, print } = start(10);
  print("12345\n1234567890\n");
  print("more\n");
  assert.deepEqual(lines, ["12345"]);
  assert.equal(
    log.text(),
    "12345\n1234\n[The log was cut here: the node keeps 10 bytes, and 12 more came.]",
  );
});

Deno.test("createRunLog() joins letters that were cut in two and replaces what no database can hold", () => {
  const log = createRunLog({ maxBytes: 100, onLines: () => {} });
  const write = log.writer();
  const bytes = new TextEncoder().encode("ü\0\n");
  write(bytes.subarray(0, 1));
  write(bytes.subarray(1));
  assert.equal(log.text(), "ü\ufffd");
});
