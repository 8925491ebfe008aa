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

Deno.test("createRunLog() keeps both ends of what is beyond the limit, says so, and hands on nothing more", () => {
  const { log, lines, print } = start(40);
  for (let n = 0; n < 100; n++) print(`line ${n}\n`);
  print("Traceback\nError: a bug\n");
  assert.deepEqual(lines, ["line 0", "line 1", "line 2", "line 3", "line 4"]);
  assert.equal(
    log.text(),
    [
      "line 0",
      "line 1",
      "line 2",
      "[The log was cut here: the node keeps 40 bytes of it; 773 bytes are missing.]",
      "ceback",
      "Error: a bug",
    ].join("\n"),
  );
});

Deno.test("createRunLog() drops nothing before the limit is reached, however long a line is", () => {
  const { log, print } = start(40);
  const text = ["x".repeat(30), "second"].join("\n");
  print(text);
  assert.equal(log.text(), text);
});

Deno.test("createRunLog() bounds a line without an end, and keeps that", () => {
  const { log, print } = start(1000);
  for (let n = 0; n < 100; n++) print("ü".repeat(100));
  print("the end");
  const text = log.text();
  assert.match(text, /^ü+\n\[The log was cut here: .*\]\nü+the end$/);
  assert.ok(new TextEncoder().encode(text).length < 1200);
});

Deno.test("createRunLog() is done with millions of short lines in a moment", () => {
  const { log, print } = start(2 ** 20);
  const began = performance.now();
  for (let n = 0; n < 100; n++) print("\n".repeat(2 ** 16));
  assert.equal(log.text().split("\n").length, 2 ** 20 + 1);
  assert.ok(performance.now() - began < 10_000);
});

Deno.test("createRunLog() joins letters that were cut in two and replaces what no database can hold", () => {
  const log = createRunLog({ maxBytes: 100, onLines: () => {} });
  const write = log.writer();
  const bytes = new TextEncoder().encode("ü\0\n");
  write(bytes.subarray(0, 1));
  write(bytes.subarray(1));
  assert.equal(log.text(), "ü\ufffd");
});
