import assert from "node:assert/strict";
import { table, widthOf } from "./table.ts";

const ROWS = [
  { id: "1", name: "a short one", text: "x".repeat(60), last: "end" },
  { id: "2", name: "見出し", text: "", last: "" },
];

Deno.test("table() is never wider than the terminal", () => {
  for (const width of [20, 40, 60, 80, 120]) {
    const lines = table(ROWS, width).split("\n").filter((line) => !line.startsWith("Too narrow"));
    for (const line of lines) assert.ok(widthOf(line) <= width, `${width}: ${line}`);
    assert.equal(new Set(lines.map(widthOf)).size, 1);
  }
});

Deno.test("table() names the columns that find no room", () => {
  assert.match(table(ROWS, 30), /\nToo narrow for: last$/);
  assert.doesNotMatch(table(ROWS, 120), /Too narrow/);
});

Deno.test("table() ends a cell that is too long in a dot dot dot", () => {
  assert.match(table([{ text: "x".repeat(50) }], 30), /│ x{25}… │/);
});

Deno.test("widthOf() counts wide characters twice and marks not at all", () => {
  assert.equal(widthOf("abc"), 3);
  assert.equal(widthOf("見出し"), 6);
  assert.equal(widthOf("é"), 1);
});

Deno.test("table() gives the room of empty columns to the others, when it is short", () => {
  const rows = [{ id: "1", empty: "", text: "x".repeat(30), also: "" }];
  assert.match(table(rows, 44), /│ x{30} │/);
  assert.doesNotMatch(table(rows, 44), /empty|also/);
  assert.match(table(rows, 80), /empty.*also/);
});

Deno.test("table() with wrap keeps every word, whole", () => {
  const text = "number of things that were seen, each of them counted once";
  const shown = table([{ field: "seen", meaning: text }], 40, { wrap: true });
  for (const word of text.split(" ")) assert.match(shown, new RegExp(`\\b${word}`));
  assert.doesNotMatch(shown, /…/);
  for (const line of shown.split("\n")) assert.equal(widthOf(line), 40);
});
