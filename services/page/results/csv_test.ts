import assert from "node:assert/strict";
import { cellText, csvOf } from "./csv.ts";

Deno.test("csvOf() writes numbers with every digit, and quotes what needs it", () => {
  const lines = csvOf({
    columns: ["a", 'b"c'],
    rows: [[0.1 + 0.2, 123456789012345678901234567890n], [null, "x, y\nz"], [true, NaN]],
  });
  assert.deepEqual(lines, [
    'a,"b""c"\r\n',
    "0.30000000000000004,123456789012345678901234567890\r\n",
    ',"x, y\nz"\r\n',
    "true,NaN\r\n",
  ]);
});

Deno.test("csvOf() guards texts that programs for tables take for formulas, in headings, too", () => {
  for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]) {
    assert.match(cellText(text), /^"?'/, JSON.stringify(text));
    assert.match(csvOf({ columns: [text], rows: [] })[0]!, /^"?'/);
  }
  assert.equal(cellText({ json: "-1" }), "'-1");
});

Deno.test("csvOf() leaves negative numbers numbers", () => {
  assert.equal(cellText(-1.5), "-1.5");
  assert.equal(cellText(-5n), "-5");
});
