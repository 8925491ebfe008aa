import assert from "node:assert/strict";
import stringWidth from "string-width";
import { table } from "./table.ts";

const ROWS = [
  { id: "1", name: "a short one", text: "x".repeat(60), last: "end" },
  { id: "2", name: "見出し", text: "", last: "" },
];

Deno.test("table() is never wider than the terminal", () => {
  for (const width of [20, 40, 60, 80, 120]) {
    const lines = table(ROWS, width).split("\n").filter((line) => /^[┌│├└]/.test(line));
    for (const line of lines) assert.ok(stringWidth(line) <= width, `${width}: ${line}`);
    assert.equal(new Set(lines.map((line) => stringWidth(line))).size, 1);
  }
});

Deno.test("table() names the columns that find no room", () => {
  assert.match(table(ROWS, 30), /\nToo narrow for: text, last$/);
  assert.doesNotMatch(table(ROWS, 120), /Too narrow/);
});

Deno.test("table() leaves columns without a value out, when room is short", () => {
  const rows = [{ id: "1", empty: "", text: "x".repeat(30), also: "" }];
  assert.match(table(rows, 44), /│ x{30} │/);
  assert.doesNotMatch(table(rows, 44), /empty|also/);
  assert.match(table(rows, 80), /empty.*also/);
});

Deno.test("table() keeps every word, whole, and every time in one line", () => {
  const meaning = "number of things that were seen, each of them counted once";
  const at = "2026-11-23 21:56:40 UTC";
  const shown = table([{ field: "seen", at, meaning }], 50);
  for (const word of meaning.split(" ")) assert.match(shown, new RegExp(`\\b${word}`));
  assert.match(shown, new RegExp(`│ ${at} │`));
  for (const line of shown.split("\n")) assert.equal(stringWidth(line), 50);
});

Deno.test("table() breaks only words that are longer than any name", () => {
  const digest = "sha256:" + "0123456789".repeat(7);
  const shown = table([{ name: "IKNL", code: digest }], 60);
  assert.equal(shown.match(/[\d:a-z]{10,}/g)?.join(""), digest);
});
