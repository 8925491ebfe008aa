import assert from "node:assert/strict";
import { readErrors, readSummary, total } from "./summary.ts";

Deno.test("readSummary() reads the runner's last line, in colour too", () => {
  assert.deepEqual(readSummary("ok | 16 passed | 0 failed (3s)"), {
    passed: 16,
    failed: 0,
    ignored: 0,
  });
  const line =
    "\x1b[0m\x1b[31mFAILED\x1b[0m | 1 passed (2 steps) | 2 failed | 1 ignored \x1b[0m(70ms)\x1b[0m";
  assert.deepEqual(readSummary(line), { passed: 1, failed: 2, ignored: 1 });
  assert.deepEqual(readSummary("FAILED | 4 passed | 1 failed (1 step) (70ms)"), {
    passed: 4,
    failed: 1,
    ignored: 0,
  });
});

Deno.test("readSummary() takes nothing else for a summary", () => {
  for (const line of ["ok | nothing", "a test about ok | 1 passed ... ok (1ms)", ""]) {
    assert.equal(readSummary(line), undefined);
  }
});

Deno.test("readErrors() reads what failed, or the end of what has no such list", () => {
  const output = [
    "a ... ok (1ms)",
    "\x1b[0m\x1b[1m\x1b[37m\x1b[41m ERRORS \x1b[0m",
    "",
    "b => ./b_test.ts:1:6",
    "error: wrong",
    "    at one",
    "    at two",
    "",
    " FAILURES ",
    "",
    "b => ./b_test.ts:1:6",
  ].join("\n");
  const errors = ["b => ./b_test.ts:1:6", "error: wrong", "    at one", "    at two"];
  assert.deepEqual(readErrors(output, 4), errors);
  assert.deepEqual(readErrors(output, 3), [...errors.slice(0, 2), "…"]);
  assert.deepEqual(readErrors("one\nModule not found\nat b\n", 2), ["Module not found", "at b"]);
  assert.deepEqual(readErrors("", 2), [""]);
});

Deno.test("total() counts a run that broke as a failure", () => {
  const good = { summary: { passed: 3, failed: 0, ignored: 1 }, success: true };
  assert.deepEqual(total([good]), { passed: 3, failed: 0, ignored: 1 });
  assert.deepEqual(total([good, { summary: undefined, success: false }]), {
    passed: 3,
    failed: 1,
    ignored: 1,
  });
  assert.equal(
    total([{ summary: { passed: 9, failed: 0, ignored: 0 }, success: false }]).failed,
    1,
  );
});
