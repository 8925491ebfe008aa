import assert from "node:assert/strict";
import { ratioAxis } from "./axis.tsx";
import { layOut } from "./histogram.tsx";
import { atRiskText, legendRows } from "./survival.tsx";

Deno.test("layOut() draws bins of different widths by their density", () => {
  const { bars, isDensity } = layOut({
    bins: [{ from: 0, to: 10, count: 20 }, { from: 10, to: 50, count: 20 }],
  });
  assert.equal(isDensity, true);
  assert.deepEqual(bars.map(({ height }) => height), [2, 0.5]);
});

Deno.test("layOut() gives bins that are open at an end the usual width, and says that they are", () => {
  const { bars, isDensity } = layOut({
    bins: [
      { from: null, to: 10, count: 5 },
      { from: 10, to: 20, count: null },
      { from: 20, to: 30, count: 2 },
      { from: 30, to: null, count: 1 },
    ],
  });
  assert.equal(isDensity, false);
  assert.deepEqual(bars.map(({ from, to, isOpen }) => [from, to, isOpen]), [
    [0, 10, true],
    [10, 20, false],
    [20, 30, false],
    [30, 40, true],
  ]);
  assert.equal(bars[1]!.count, null);
});

Deno.test("atRiskText() tells how many there are just before the next event", () => {
  const step = (time: number, atRisk: number) => (
    { time, atRisk, survival: 0.5, low: null, high: null }
  );
  const steps = [step(3, 90), step(7, 60)];
  assert.equal(atRiskText(0, 100, steps), "100");
  assert.equal(atRiskText(3, 100, steps), "90");
  assert.equal(atRiskText(4, 100, steps), "60");
  assert.equal(atRiskText(8, 100, steps), "");
});

Deno.test("ratioAxis() keeps the estimates apart, however far an interval goes", () => {
  const { at, ticks, domain } = ratioAxis([0.5, 2, 1e-30, 1e30], [0.5, 2], [0, 400]);
  assert.ok(at(2) - at(0.5) > 40);
  assert.ok(domain[0] > 1e-4 && domain[1] < 1e4);
  assert.ok(ticks.includes(1) && ticks.length >= 2 && ticks.length <= 7);
});

Deno.test("legendRows() begins another row where there is no room", () => {
  const rows = legendRows([{ name: "a".repeat(20) }, { name: "b".repeat(20) }, { name: "c" }], 300);
  assert.deepEqual(rows.map((row) => row.map(({ index }) => index)), [[0], [1, 2]]);
});
