import assert from "node:assert/strict";
import { chiSquaredAbove } from "./distributions.ts";
import { gammaAbove, gammaBelow } from "./incomplete_gamma.ts";

// Of scipy 1.17.1: the value, the shape, what lies below and above.
const KNOWN = [
  [180, 199.5, 0.0800822158160972, 0.9199177841839028],
  [230, 201, 0.9760301443133356, 0.023969855686664463],
  [1361.2, 1290, 0.9747833427160913, 0.02521665728390867],
  [1220, 1289, 0.025710953110314023, 0.974289046889686],
  [3000, 3000, 0.5024278898940543, 0.49757211010594565],
  [104000, 105000, 0.0009844317624948969, 0.9990155682375051],
  [105000, 104000, 0.9990059955517057, 0.0009940044482943452],
] as const;

Deno.test("gammaBelow() and gammaAbove() are right for large shapes, where stdlib's are not", () => {
  const near = (ours: number, known: number) =>
    assert.ok(Math.abs(ours - known) <= 1e-11 * known, `${ours}, not ${known}`);
  for (const [x, shape, below, above] of KNOWN) {
    near(gammaBelow(x, shape), below);
    near(gammaAbove(x, shape), above);
    near(chiSquaredAbove(2 * x, 2 * shape), above);
  }
});

Deno.test("gammaBelow() and gammaAbove() end at 0 and 1", () => {
  assert.equal(gammaBelow(0, 1000), 0);
  assert.equal(gammaAbove(0, 1000), 1);
  assert.equal(gammaAbove(1e6, 1000), 0);
  assert.equal(gammaBelow(1e6, 1000), 1);
});
