import assert from "node:assert/strict";
import { judgeEnd } from "./verdict.ts";

const LIMITS = { memoryMiB: 64, timeoutSeconds: 60, outputMiB: 10 };

Deno.test("judgeEnd() says of what a container died, and of memory how sure that is", () => {
  const reasonOf = (exitCode: number, oomKilled = false) =>
    judgeEnd({ exitCode, oomKilled }, null, LIMITS);
  assert.deepEqual(reasonOf(0), { status: "completed", result: null, reason: null });
  const want = "for want of memory, of which this node gives it 64 MiB and the machine may have " +
    "had less left";
  assert.deepEqual(reasonOf(137, true), {
    status: "crashed",
    result: null,
    reason: `The algorithm was killed (exit code 137) ${want}.`,
  });
  assert.equal(
    reasonOf(137).reason,
    `The algorithm was killed (exit code 137): ${want}, or by somebody at the machine.`,
  );
  assert.equal(
    reasonOf(1, true).reason,
    `A part of the algorithm was killed ${want}; then it ended with exit code 1.`,
  );
  assert.equal(reasonOf(0, true).status, "completed");
  assert.equal(
    reasonOf(139).reason,
    "The algorithm ended with exit code 139, that is signal 11; its log may say why.",
  );
  assert.equal(
    reasonOf(1).reason,
    "The algorithm ended with exit code 1; its log may say why.",
  );
});
