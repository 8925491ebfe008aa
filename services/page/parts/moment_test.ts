import assert from "node:assert/strict";
import { durationText, momentOf } from "./moment.ts";

Deno.test("momentOf takes a moment without a zone for UTC, wherever the reader is", () => {
  const ms = Date.UTC(2026, 2, 24, 10, 0, 5, 123);
  for (
    const text of [
      "2026-03-24T10:00:05.123000",
      "2026-03-24T10:00:05.123Z",
      "2026-03-24T12:00:05.123+02:00",
    ]
  ) {
    assert.equal(momentOf(text), ms, text);
  }
  assert.equal(momentOf("2026-03-24T10:00:05"), ms - 123);
});

Deno.test("durationText never shows sixty seconds or minutes", () => {
  const expected: [number, string][] = [
    [0, "0.0 s"],
    [4_210, "4.2 s"],
    [9_960, "10 s"],
    [59_700, "1 min 0 s"],
    [3_599_800, "1 h 0 min"],
    [90_000_000, "1 d 1 h"],
    [-5, "0.0 s"],
  ];
  for (const [ms, text] of expected) assert.equal(durationText(ms), text);
});
