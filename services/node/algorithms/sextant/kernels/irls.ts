/**
 * Generalized linear models by iteratively reweighted least squares: at each step a site gives the
 * triangle of its weighted rows, and the triangle of all of them gives the next coefficients, the
 * same as if the rows had been pooled (McCullagh and Nelder 1989).
 * @module
 */
import { PartWithheld, type SiteRules } from "../disclosure.ts";
import { isPlainlySpread, requireSpread } from "../spread.ts";
import { requireNear } from "./predictions.ts";
import { readFields, readList, readNumber, readSquare } from "../parts.ts";
import { dependentColumn, inverse, solveTriangle } from "../statistics/triangle.ts";
import { createTriangle, stackTriangles } from "../statistics/triangle.ts";
import type { Term } from "./design.ts";
import { families, type FamilyName, type LinkName, links } from "./families.ts";

/** One predictor of whose length the others leave no more than this follows from them. */
const TOLERANCE = 1e-7;
/**
 * A step has converged if, in the squares of standard errors, it is no longer than this: the next
 * one would be its square. With a fit that leaves nothing, rounding is this part of the null
 * deviance.
 */
const CONVERGED = 1e-16;
const ROUNDING = 1e-24;
/**
 * A change of a scaled coefficient in a step that hardly betters the fit, on its way to infinity.
 */
const ENDLESS = 0.1;

export interface GlmRows {
  family: FamilyName;
  link: LinkName;
  /** The columns of the predictors, without the intercept. */
  columns: Float64Array[];
  outcome: Float64Array;
  offset: Float64Array | undefined;
  /** How many rows each row stands for. */
  weights: Float64Array | undefined;
}

/** What a site says of its rows at given coefficients. Sums, of 0 rows too. */
export interface GlmStep {
  /** Rows, counted with their weights. */
  weight: number;
  /** Null where a mean is none that the family has. */
  deviance: number | null;
  pearson: number;
  terms: number[];
  /** Of the weighted predictors and the working outcome. */
  triangle: number[][];
}

/**
 * This site's {@linkcode GlmStep}. Under rules, refuses coefficients at which hardly any row but a
 * few count, or a row's mean is none: of far ones somebody may have thought only to single rows
 * out.
 */
export function glmStep(rows: GlmRows, coefficients: number[], site?: SiteRules): GlmStep {
  const { family, link, outcome, weights } = rows;
  const isLine = family === "gaussian" && link === "identity";
  // About a line without weights all rows count alike.
  const spreads = site && !(isLine && !weights) ? createSpreads() : undefined;
  const step = sumRows(rows, coefficients, spreads?.add);
  if (!step) {
    // Nothing of the rows before this one: whoever chose where it stops would read them one by one.
    if (site) throw new PartWithheld("min_subset");
    const triangle = createTriangle(rows.columns.length + 2).finish();
    return { weight: 0, deviance: null, pearson: 0, terms: [0, 0], triangle };
  }
  if (!site || outcome.length === 0) return step;
  // An exponential is all or nothing.
  if (link === "logit" || link === "log") requireNear(outcome.length, spreads!.squaresOfLine());
  // A sum of squares about any line follows from the triangle; others do not.
  const looked = isLine ? 1 : ADDED;
  const sums = spreads?.sums().slice(0, looked) ??
    [{ sum: outcome.length, squares: outcome.length }];
  if (sums.every((one) => isPlainlySpread(site, one))) return step;
  const rooms = Array.from({ length: looked }, () => new Float64Array(outcome.length));
  sumRows(rows, coefficients, (row, _, ...added) => {
    for (const [i, room] of rooms.entries()) room[row] = added[i]!;
  });
  for (const values of rooms) requireSpread(site, values);
  return step;
}

/** How many sums a row is looked at for. */
const ADDED = 5;

/** Sees the line's value of each row, and how much the row adds to the sums, without its sign. */
type Look = (
  row: number,
  line: number,
  weight: number,
  deviance: number,
  square: number,
  first: number,
  second: number,
) => void;

/** Undefined where a row's mean is none. */
function sumRows(rows: GlmRows, coefficients: number[], look?: Look): GlmStep | undefined {
  const { columns, outcome, offset, weights } = rows;
  const [family, link] = [families[rows.family], links[rows.link]];
  const size = columns.length + 2;
  const triangle = createTriangle(size);
  const row = new Float64Array(size);
  const step = { weight: 0, deviance: 0, pearson: 0, terms: [0, 0] as [number, number] };
  for (let i = 0; i < outcome.length; i++) {
    let eta = coefficients[0]!;
    for (let j = 0; j < columns.length; j++) eta += coefficients[j + 1]! * columns[j]![i]!;
    const [y, weight] = [outcome[i]!, weights ? weights[i]! : 1];
    const line = eta + (offset ? offset[i]! : 0);
    const mean = link.mean(line);
    if (!family.isMean(mean)) return undefined;
    const [slope, variance] = [link.slope(mean), family.variance(mean)];
    const root = Math.sqrt(weight / variance) / Math.abs(slope);
    row[0] = root;
    for (let j = 0; j < columns.length; j++) row[j + 1] = root * columns[j]![i]!;
    row[size - 1] = root * (eta + (y - mean) * slope);
    triangle.add(row);
    const deviance = weight * family.deviance(y, mean);
    step.weight += weight;
    step.deviance += deviance;
    const pearson = weight * (y - mean) ** 2 / variance;
    step.pearson += pearson;
    const [first, second] = family.likelihoodTerms(y, mean);
    step.terms[0] += weight * first;
    step.terms[1] += weight * second;
    if (!look) continue;
    look(
      i,
      line,
      root * root,
      deviance,
      pearson,
      Math.abs(weight * first),
      Math.abs(weight * second),
    );
  }
  return { ...step, triangle: triangle.finish() };
}

/** What rows add to sums, summed with its squares as it comes: that takes no room for each row. */
function createSpreads() {
  // In an array, whose numbers need no room of their own each time. The line's are the last.
  const sums = new Float64Array(2 * ADDED + 2);
  let [n, start] = [0, NaN];
  const add: Look = (row, line, weight, deviance, square, first, second) => {
    n = row + 1;
    // From the first one, so that squares about their mean keep their digits.
    if (row === 0) start = line;
    const distance = line - start;
    sums[0]! += weight;
    sums[1]! += weight * weight;
    sums[2]! += deviance;
    sums[3]! += deviance * deviance;
    sums[4]! += square;
    sums[5]! += square * square;
    sums[6]! += first;
    sums[7]! += first * first;
    sums[8]! += second;
    sums[9]! += second * second;
    sums[10]! += distance;
    sums[11]! += distance * distance;
  };
  const at = (i: number) => ({ sum: sums[2 * i]!, squares: sums[2 * i + 1]! });
  return {
    add,
    squaresOfLine: () => at(ADDED).squares - at(ADDED).sum ** 2 / n,
    sums: () => Array.from({ length: ADDED }, (_, i) => at(i)),
  };
}

/** Reads the step of another site, of a model with so many coefficients. */
export function readGlmStep(value: unknown, coefficients: number): GlmStep {
  return readFields<GlmStep>(value, {
    weight: readNumber,
    deviance: (one) => one === null ? null : readNumber(one),
    pearson: readNumber,
    terms: (one) => readList(one, readNumber, 2),
    triangle: (one) => readSquare(one, coefficients + 1),
  });
}

export interface GlmFit {
  /** Scaled as the columns are, the intercept first. */
  coefficients: number[];
  covariances: number[][];
  deviance: number;
  nullDeviance: number;
  pearson: number;
  dispersion: number;
  logLikelihood: number;
  freedom: number;
  iterations: number;
}

export interface GlmModel {
  family: FamilyName;
  link: LinkName;
  terms: Term[];
  /** Where to begin: the intercept that alone fits best. */
  intercept: number;
  iterations: number;
  /** The sites' steps at these coefficients. */
  step: (coefficients: number[]) => Promise<GlmStep[]>;
}

type Sums = Omit<GlmStep, "deviance"> & { deviance: number };

/** Fits a model; throws if it has no single solution, no finite one, or does not converge. */
export async function fitGlm(model: GlmModel): Promise<GlmFit> {
  const { terms, step } = model;
  const size = terms.length + 1;
  let coefficients = [model.intercept, ...terms.map(() => 0)];
  let sums = sumSteps(await step(coefficients), size);
  if (!sums) throw new Error("The model has no starting point: no mean fits the offset.");
  const nullDeviance = sums.deviance;
  for (let iteration = 1; iteration <= model.iterations; iteration++) {
    const dependent = dependentColumn(sums.triangle, size, TOLERANCE);
    if (dependent !== undefined) throw dependence(terms, dependent);
    const wanted = solveTriangle(
      sums.triangle,
      sums.triangle.map((row) => row[size]!).slice(0, size),
    );
    const moved = await moveTo(model, { coefficients, sums, wanted, nullDeviance });
    throwIfEndless(model, { from: { coefficients, sums }, to: moved, nullDeviance });
    const done = isConverged(model, { from: { coefficients, sums }, wanted, nullDeviance });
    ({ coefficients, sums } = moved);
    if (done) return finish(model, { coefficients, sums, nullDeviance, iteration });
  }
  throw new Error(`The model has not converged after ${model.iterations} iterations.`);
}

interface Position {
  coefficients: number[];
  sums: Sums;
}

interface Goal {
  wanted: number[];
  nullDeviance: number;
}

/** The way to the wanted coefficients, or half of it, or half of that, until the fit is better. */
async function moveTo(
  model: GlmModel,
  { coefficients, sums, wanted, nullDeviance }: Position & Goal,
): Promise<Position> {
  for (let part = 1; part > 1e-3; part /= 2) {
    const next = coefficients.map((value, i) =>
      part === 1 ? wanted[i]! : value + part * (wanted[i]! - value)
    );
    const found = sumSteps(await model.step(next), next.length);
    const slack = 1e-8 * sums.deviance + 1e-12 * nullDeviance;
    if (found && found.deviance <= sums.deviance + slack) {
      return { coefficients: next, sums: found };
    }
  }
  throw new Error("The model does not converge: no step makes the fit better.");
}

function sumSteps(steps: GlmStep[], size: number): Sums | undefined {
  const sum = (value: (step: GlmStep) => number) => steps.reduce((all, one) => all + value(one), 0);
  if (steps.some(({ deviance }) => deviance === null)) return undefined;
  return {
    weight: sum(({ weight }) => weight),
    deviance: sum(({ deviance }) => deviance!),
    pearson: sum(({ pearson }) => pearson),
    terms: [sum(({ terms }) => terms[0]!), sum(({ terms }) => terms[1]!)],
    triangle: stackTriangles(steps.map(({ triangle }) => triangle), size + 1),
  };
}

function dependence(terms: Term[], column: number): Error {
  const before = terms.slice(0, column - 1).map(({ name }) => name).join(", ");
  return new Error(
    `The model has no single solution: the predictor "${terms[column - 1]!.name}" follows from ` +
      `${before || "the intercept"}.`,
  );
}

function isConverged(
  { family, terms }: GlmModel,
  { from, wanted, nullDeviance }: Goal & { from: Position },
): boolean {
  const { coefficients, sums } = from;
  const change = wanted.map((value, i) => value - coefficients[i]!);
  let length = 0;
  for (const row of sums.triangle.slice(0, change.length)) {
    length += change.reduce((sum, value, j) => sum + value * row[j]!, 0) ** 2;
  }
  const freedom = Math.max(1, sums.weight - terms.length - 1);
  const dispersion = families[family].dispersed ? sums.pearson / freedom : 1;
  return length <= CONVERGED * dispersion + ROUNDING * nullDeviance;
}

/**
 * Throws where a coefficient grows on while the fit hardly gets better: its best value is infinite,
 * because the predictors tell some of the outcomes for certain.
 */
function throwIfEndless(
  { terms }: GlmModel,
  { from, to, nullDeviance }: { from: Position; to: Position; nullDeviance: number },
) {
  const gain = Math.abs(from.sums.deviance - to.sums.deviance);
  const changes = to.coefficients.map((value, i) => Math.abs(value - from.coefficients[i]!));
  const largest = changes.indexOf(Math.max(...changes));
  const slack = 1e-6 * to.sums.deviance + 1e-9 * nullDeviance;
  if (gain > slack || changes[largest]! < ENDLESS) return;
  const name = largest === 0 ? "the intercept" : `"${terms[largest - 1]!.name}"`;
  throw new Error(
    `The coefficient of ${name} has no finite value: the predictors separate the outcomes.`,
  );
}

function finish(
  { family: name, terms }: GlmModel,
  { coefficients, sums, nullDeviance, iteration }: Position & {
    nullDeviance: number;
    iteration: number;
  },
): GlmFit {
  const family = families[name];
  const { weight, deviance, pearson } = sums;
  const freedom = weight - coefficients.length;
  const dispersion = family.dispersed ? pearson / freedom : 1;
  const covariances = inverse(sums.triangle, terms.length + 1);
  return {
    coefficients,
    covariances: covariances.map((row) => row.map((value) => value * dispersion)),
    deviance,
    nullDeviance,
    pearson,
    dispersion,
    freedom,
    logLikelihood: family.logLikelihood({
      n: weight,
      deviance,
      terms: sums.terms as [number, number],
      dispersion,
    }),
    iterations: iteration,
  };
}

/** Refuses outcomes that the family does not have; the error is for the researcher. */
export function checkOutcomes(name: string, values: Float64Array, family: FamilyName) {
  const { isOutcome, outcomes } = families[family];
  const wrong = values.reduce((count, value) => count + (isOutcome(value) ? 0 : 1), 0);
  if (wrong === 0) return;
  throw new TypeError(
    `The outcome "${name}" must be ${outcomes} in a ${family} model, and in ${wrong} rows is not.`,
  );
}
