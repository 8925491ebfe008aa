import assert from "node:assert/strict";
import { endOf, logOf, unknownLines, withLines } from "./log_text.ts";

Deno.test("a log grows in its last chunk alone, and loses no line", () => {
  const lines = Array.from({ length: 1003 }, (_, n) => `line ${n}`);
  let log = logOf(lines.slice(0, 399).join("\n"));
  const first = log.chunks[0];
  for (let n = 399; n < lines.length; n += 7) log = withLines(log, lines.slice(n, n + 7));
  assert.equal(log.lines, 1003);
  assert.equal(log.chunks.join("\n"), lines.join("\n"));
  assert.equal(log.chunks[0], first);
  assert.deepEqual(logOf(null), { chunks: [], lines: 0 });
});

Deno.test("lines that the answer has already are not shown twice", () => {
  assert.deepEqual(unknownLines("a\nb\nc", ["b", "c", "d"]), ["d"]);
  assert.deepEqual(unknownLines("a\nb\nc", ["d"]), ["d"]);
  assert.deepEqual(unknownLines("a\nb", ["b"]), []);
  assert.deepEqual(unknownLines(null, ["a"]), ["a"]);
});

Deno.test("the reason of a failure is the end of its log, and not more", () => {
  assert.equal(endOf("a\nb\nc\n\n", { lines: 2, characters: 100 }), "b\nc");
  assert.equal(endOf("x".repeat(50), { lines: 2, characters: 10 }), `… ${"x".repeat(10)}`);
  assert.equal(endOf(null, { lines: 2, characters: 10 }), "");
});
