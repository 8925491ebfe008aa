import assert from "node:assert/strict";
import {
  FAILED_STATUSES,
  FINAL_STATUSES,
  isFailed,
  isFinal,
  isOpen,
  OPEN_STATUSES,
} from "./status.ts";

Deno.test("isOpen() and isFinal() divide all statuses between them", () => {
  for (const status of OPEN_STATUSES) assert.ok(isOpen(status) && !isFinal(status), status);
  for (const status of FINAL_STATUSES) assert.ok(isFinal(status) && !isOpen(status), status);
  assert.ok(!isOpen("done") && !isFinal("done"));
});

Deno.test("isFailed() is every end but one", () => {
  assert.deepEqual(FINAL_STATUSES.filter((status) => !isFailed(status)), ["completed"]);
  assert.equal(FAILED_STATUSES.length, FINAL_STATUSES.length - 1);
});
