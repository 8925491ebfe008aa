import assert from "node:assert/strict";
import { federate } from "../../../tests/support/federation.ts";
import * as regression from "./linear_regression@1.0.0.ts";

interface Fit {
  coefficients: Record<string, number>;
  standard_errors: Record<string, number | null>;
  r_squared: number | null;
  n: number;
  dropped: number;
}

const central = async (kwargs: Record<string, unknown>, files: string[]) =>
  await federate(regression, "central", kwargs, files) as Fit;

function assertClose(actual: number | null, expected: number, tolerance = 1e-9) {
  const error = Math.abs(actual! - expected) / Math.abs(expected);
  assert.ok(actual !== null && error <= tolerance, `${actual} instead of ${expected}`);
}

/** Deals rows out to as many CSV files as asked for, the first of which gets only one. */
function deal(names: string, rows: unknown[][], count: number): string[] {
  const files = Array.from({ length: count }, () => `${names}\n`);
  rows.forEach((row, i) => files[i === 0 ? 0 : 1 + i % (count - 1)] += `${row.join(",")}\n`);
  return files;
}

// Longley's data, made to be hard on regressions, with the certified values of NIST's reference
// datasets.
const LONGLEY = [
  [60323, 83.0, 234289, 2356, 1590, 107608, 1947],
  [61122, 88.5, 259426, 2325, 1456, 108632, 1948],
  [60171, 88.2, 258054, 3682, 1616, 109773, 1949],
  [61187, 89.5, 284599, 3351, 1650, 110929, 1950],
  [63221, 96.2, 328975, 2099, 3099, 112075, 1951],
  [63639, 98.1, 346999, 1932, 3594, 113270, 1952],
  [64989, 99.0, 365385, 1870, 3547, 115094, 1953],
  [63761, 100.0, 363112, 3578, 3350, 116219, 1954],
  [66019, 101.2, 397469, 2904, 3048, 117388, 1955],
  [67857, 104.6, 419180, 2822, 2857, 118734, 1956],
  [68169, 108.4, 442769, 2936, 2798, 120445, 1957],
  [66513, 110.8, 444546, 4681, 2637, 121950, 1958],
  [68655, 112.6, 482704, 3813, 2552, 123366, 1959],
  [69564, 114.2, 502601, 3931, 2514, 125368, 1960],
  [69331, 115.7, 518173, 4806, 2572, 127852, 1961],
  [70551, 116.9, 554894, 4007, 2827, 130081, 1962],
];
const CERTIFIED: Record<string, [coefficient: number, standardError: number]> = {
  intercept: [-3482258.63459582, 890420.383607373],
  x1: [15.0618722713733, 84.9149257747669],
  x2: [-0.0358191792925910, 0.0334910077722432],
  x3: [-2.02022980381683, 0.488399681651699],
  x4: [-1.03322686717359, 0.214274163161675],
  x5: [-0.0511041056535807, 0.226073200069370],
  x6: [1829.15146461355, 455.478499142212],
};

Deno.test("linear_regression central() gives NIST's certified values of Longley's data", async () => {
  const model = { outcome: "y", predictors: ["x1", "x2", "x3", "x4", "x5", "x6"] };
  for (const organizations of [2, 3, 7]) {
    const fit = await central(model, deal("y,x1,x2,x3,x4,x5,x6", LONGLEY, organizations));
    for (const [name, [coefficient, standardError]] of Object.entries(CERTIFIED)) {
      assertClose(fit.coefficients[name]!, coefficient);
      assertClose(fit.standard_errors[name]!, standardError);
    }
    assertClose(fit.r_squared, 0.995479004577296);
    assert.equal(fit.n, 16);
  }
});

Deno.test("linear_regression central() is the regression on the pooled rows", async () => {
  const rows = Array.from({ length: 400 }, (_, i) => {
    const x = Math.sin(i) * 20 + 200;
    return [x, 50 * x - 5000 + Math.cos(i * 7) * 300];
  });
  const fit = await central({ outcome: "y", predictors: ["x"] }, deal("x,y", rows, 4));

  // One predictor can be done by hand.
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(rows.map((row) => row[0]!)), mean(rows.map((row) => row[1]!))];
  const products = (a: (row: number[]) => number, b: (row: number[]) => number) =>
    rows.reduce((sum, row) => sum + a(row) * b(row), 0);
  const [dx, dy] = [(row: number[]) => row[0]! - x, (row: number[]) => row[1]! - y];
  const slope = products(dx, dy) / products(dx, dx);
  const residual = (row: number[]) => dy(row) - slope * dx(row);
  const variance = products(residual, residual) / (rows.length - 2);

  assertClose(fit.coefficients.x!, slope);
  assertClose(fit.coefficients.intercept!, y - slope * x);
  assertClose(fit.standard_errors.x!, Math.sqrt(variance / products(dx, dx)));
  assertClose(
    fit.standard_errors.intercept!,
    Math.sqrt(variance * (1 / rows.length + x ** 2 / products(dx, dx))),
  );
  assertClose(fit.r_squared, 1 - products(residual, residual) / products(dy, dy));
});

Deno.test("linear_regression central() keeps its digits when values lie far from zero", async () => {
  const rows = Array.from({ length: 300 }, (_, i) => {
    const [x, z] = [1e9 + i % 17, -4e8 + (i * i) % 23];
    return [x, z, 7e9 + 3 * (x - 1e9) - 2 * (z + 4e8) + (i % 2 ? 0.5 : -0.5)];
  });
  const near = rows.map(([x, z, y]) => [x! - 1e9, z! + 4e8, y! - 7e9]);
  const model = { outcome: "y", predictors: ["x", "z"] };
  const fit = await central(model, deal("x,z,y", rows, 3));
  const reference = await central(model, deal("x,z,y", near, 3));
  for (const name of ["x", "z"]) {
    assertClose(fit.coefficients[name]!, reference.coefficients[name]!);
    assertClose(fit.standard_errors[name]!, reference.standard_errors[name]!);
  }
  assertClose(fit.r_squared, reference.r_squared!);
});

Deno.test("linear_regression leaves out and counts rows in which anything is missing", async () => {
  const files = ["x,y,other\n1,3,\n2,NA,1\n,7,1\n3,7,1\n", "x,y\n\nNA,\n4,9\n", "x,y\nNA,NA\n"];
  const fit = await central({ outcome: "y", predictors: ["x"] }, files);
  assert.equal(fit.n, 3);
  assert.equal(fit.dropped, 4);
  assertClose(fit.coefficients.x!, 2);
  assertClose(fit.coefficients.intercept!, 1);
  assertClose(fit.r_squared, 1);
});

Deno.test("linear_regression has no standard errors without rows to spare", async () => {
  const fit = await central({ outcome: "y", predictors: ["x"] }, ["x,y\n1,3\n", "x,y\n2,5\n"]);
  assertClose(fit.coefficients.x!, 2);
  assert.deepEqual(fit.standard_errors, { intercept: null, x: null });
});

Deno.test("linear_regression has no r_squared when the outcome does not vary", async () => {
  const fit = await central({ outcome: "y", predictors: ["x"] }, ["x,y\n1,3\n5,3\n", "x,y\n2,3\n"]);
  assert.deepEqual(fit.coefficients, { intercept: 3, x: 0 });
  assert.equal(fit.r_squared, null);
});

Deno.test("linear_regression says when there is no single solution or no data", async () => {
  const model = { outcome: "y", predictors: ["a", "b"] };
  const fails = (files: string[], message: RegExp) =>
    assert.rejects(central(model, files), message);
  const three = "y,a,b\n1,1,2\n2,2,4\n3,4,8\n4,3,6\n";
  await fails([three, three], /no single solution: the predictor "b" follows from a\./);
  const constant = "y,a,b\n1,0.1,2\n2,0.1,4\n3,0.1,7\n4,0.1,6\n";
  await fails([constant, constant], /the predictor "a" has the same value everywhere/);
  await fails(["y,a,b\n1,2,3\n", "y,a,b\n1,2,4\n"], /2 complete rows are too few for 3/);
  await fails(["y,a,b\nNA,2,3\n", "y,a,b\n"], /0 complete rows/);
});

Deno.test("linear_regression says what is wrong with its arguments and its columns", async () => {
  const files = ["y,x,sex\n1,2,male\n"];
  const fails = (kwargs: Record<string, unknown>, message: RegExp) =>
    assert.rejects(central(kwargs, files), message);
  await fails({}, /The argument "outcome" is missing/);
  await fails({ outcome: "y", predictors: [] }, /a list of names of columns/);
  await fails({ outcome: "y", predictors: "x" }, /a list of names of columns/);
  await fails({ outcome: "y", predictors: ["x", 3] }, /a list of names of columns/);
  await fails({ outcome: "y", predictors: ["x", "y"] }, /"y" stands for two things/);
  await fails({ outcome: "y", predictors: ["intercept"] }, /"intercept" stands for two things/);
  await fails(
    { outcome: "y", predictors: ["x"], organizations: 1 },
    /a list of ids of organizations/,
  );
  await fails({ outcome: "y", predictors: ["z"] }, /no column "z"; did you mean/);
  await fails({ outcome: "y", predictors: ["sex"] }, /"sex" .* not numeric: row 1/);
});

Deno.test("linear_regression central() refuses a part that is none", async () => {
  for (const bad of [null, {}, { n: 1, dropped: 0, centre: [1, 2], triangle: [[1]] }]) {
    const algorithm = { ...regression, partial: () => bad };
    const run = federate(algorithm, "central", { outcome: "y", predictors: ["x"] }, ["x,y\n1,2\n"]);
    await assert.rejects(run, /something other than its part/);
  }
});
