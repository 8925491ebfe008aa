/**
 * What the algorithm `shown` is told to return in tests of how results look.
 * @module
 */

function ratio(estimate: number, low: number, high: number) {
  return {
    estimate: Math.log(estimate),
    low: Math.log(low),
    high: Math.log(high),
    ratio: { estimate, low, high },
  };
}

/** Of its method `model`: one picture. */
export const MODEL = {
  coefficients: { intercept: ratio(0.22, 0.13, 0.37), age: ratio(1.1, 1.05, 1.16) },
  n: 0.1 + 0.2,
  withheld: [{ output: "left_out", rule: "min_cell", values: 2 }],
};

function curve(n: number, hazard: number) {
  const steps = [1, 2, 4, 6, 9, 12];
  return {
    n,
    median: null,
    curve: steps.map((time, index) => {
      const survival = Math.exp(-hazard * time);
      return {
        time,
        survival,
        low: Math.max(0, survival - 0.1),
        high: Math.min(1, survival + 0.1),
        at_risk: n - 7 * index,
      };
    }),
  };
}

/** Of its method `everything`: every picture that the page draws, with hostile names among them. */
export const EVERYTHING = {
  ...MODEL,
  survival: { treated: curve(120, 0.05), "<b>control</b> \u202e": curve(110, 0.11) },
  ages: [
    { from: null, to: 20, count: 12 },
    { from: 20, to: 40, count: 40 },
    { from: 40, to: 60, count: null },
    { from: 60, to: null, count: 9 },
  ],
  rows: ["smokes", "does not"],
  columns: ["event", "no event"],
  counts: [[12, 30], [8, null]],
  quantiles: [{ probability: 0.25, value: 41 }, { probability: 0.5, value: 57.5 }],
  levels: { red: 30, green: 12, blue: null },
  components: [0.62, 0.25, 0.13].map((share) => ({
    variance: 3 * share,
    share,
    loadings: { age: share, bmi: -share, "systolic blood pressure": 1 - share },
  })),
  centres: [{ age: 34, bmi: 21.4, sbp: 118 }, { age: 66, bmi: 27.9, sbp: 141 }],
  more: { deep: { deeper: [1, "<img src=x>", { deepest: null }] } },
  notes: ["One organization has no rows, and is left out."],
  withheld: [
    { organization: 1, output: "counts", rule: "min_cell", values: 1 },
    { output: "*", rule: "other", values: 1 },
  ],
};
