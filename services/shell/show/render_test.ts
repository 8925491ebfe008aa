import assert from "node:assert/strict";
import { harmless } from "../errors.ts";
import { cell, render } from "./render.ts";

/** The control characters in a text, besides the ends of lines. */
function obeyed(text: string): string[] {
  return [...text].filter((one) => (one < " " && one !== "\n") || (one >= "\x7f" && one < "\xa0"));
}

Deno.test("render() keeps from the terminal what it would obey", () => {
  const hostile = "a\x1b]0;title\x07b\x1b[2Jc\x9bd";
  assert.deepEqual(obeyed(render(hostile, 80)), []);
  assert.deepEqual(obeyed(render([{ name: hostile }], 80)), []);
  assert.deepEqual(obeyed(render({ deep: { name: hostile } }, 80)), []);
  assert.equal(harmless("two\nlines"), "two\nlines");
});

Deno.test("cell() shows dates as people read them, and one line of a text", () => {
  assert.equal(cell(new Date("2026-11-23T22:00:01.5Z")), "2026-11-23 22:00:01 UTC");
  assert.equal(cell("two\nlines"), "two lines");
  assert.equal(cell(null), "");
  assert.equal(cell({ a: 1 }), '{"a":1}');
});

Deno.test("render() shows plain rows as a table and other values as they are", () => {
  assert.match(render([{ a: 1 }, { a: 2 }], 80), /┌─+┐/);
  assert.equal(render([1, 2], 80), "[ 1, 2 ]");
  assert.equal(render([], 80), "(none)");
  assert.equal(render("text", 80), "text");
});
