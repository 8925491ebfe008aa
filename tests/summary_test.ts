import assert from "node:assert/strict";
import { readSummary, total } from "./summary.ts";

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
