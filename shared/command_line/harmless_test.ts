import assert from "node:assert/strict";
import { harmless, harmlessJson } from "./harmless.ts";

const HOSTILE = "a\x1b]0;title\x07b\x1b[2Jc\x9bd\u202eexe.\u2066x\u200f\x7f";

Deno.test("harmless() leaves nothing that moves the cursor or turns the direction of reading", () => {
  assert.match(harmless(HOSTILE), /^[\x20-\x7e\u{fffd}]*$/u);
  assert.equal(harmless("two\nlines\tgrößer 見出し"), "two\nlines\tgrößer 見出し");
  assert.equal(harmless("two\r\nlines", " "), "two\u{fffd} lines");
});

Deno.test("harmlessJson() is the same value in characters that a terminal does not obey", () => {
  const json = harmlessJson(JSON.stringify({ [HOSTILE]: HOSTILE }));
  assert.match(json, /^[\x20-\x7e]*$/);
  assert.deepEqual(JSON.parse(json), { [HOSTILE]: HOSTILE });
});
