import assert from "node:assert/strict";
import { checked } from "./values.ts";

Deno.test("checked() takes a date without a zone as UTC, and one with a zone as it says", () => {
  const date = (typed: string) => (checked("x", { type: "date" }, typed) as Date).toISOString();
  assert.equal(date("2026-03-24"), "2026-03-24T00:00:00.000Z");
  assert.equal(date("2026-03-24T10:00:00"), "2026-03-24T10:00:00.000Z");
  assert.equal(date("24 March 2026 10:00"), "2026-03-24T10:00:00.000Z");
  assert.equal(date("2026-03-24T10:00:00+01:00"), "2026-03-24T09:00:00.000Z");
  assert.throws(() => date("perhaps"), /x must be a date, not "perhaps"/);
});
