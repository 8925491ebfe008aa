/**
 * Proportional hazards by Newton's method, from the sums of all sites' likelihoods, gradients and
 * information.
 * @module
 */
import { readFields, readList, readNumber, readSquare } from "../parts.ts";
import {
  dependentColumn,
  inverse,
  solveTransposed,
  solveTriangle,
} from "../statistics/triangle.ts";
import { triangleOf } from "../statistics/triangle.ts";
import type { Term } from "./design.ts";
import { eventTimesOf, predict, riskSetsOf, type RowSums, sumRows } from "./risk_sets.ts";
import { type SurvivalRows, type Ties, type Weighed, weighRiskSets } from "./risk_sets.ts";

/** A predictor of whose information the others leave no more than the square of this follows. */
const TOLERANCE = 1e-6;
/**
 * A step no longer than this, in squares of standard errors, is the last: the next is its square.
 */
const CONVERGED = 1e-16;
/**
 * A change of a scaled coefficient in a step that hardly betters the fit, on its way to infinity.
 */
const ENDLESS = 0.1;

/** The logarithm of the partial likelihood and its first two derivatives. */
export interface CoxSums {
  /** Null where the hazards are too large or small to be numbers. */
  logLikelihood: number | null;
  gradient: number[];
  information: number[][];
}

export function emptyCoxSums(size: number): CoxSums {
  return {
    logLikelihood: 0,
    gradient: new Array<number>(size).fill(0),
    information: Array.from({ length: size }, () => new Array<number>(size).fill(0)),
  };
}

/** The sums that rows and risk sets make. */
export function combineSums(
  { predicted, gradient, squares }: RowSums,
  { logarithms, means }: Pick<Weighed, "logarithms" | "means">,
): CoxSums {
  const logLikelihood = predicted - logarithms;
  const information = squares.map((row, i) => row.map((value, j) => value - means[i]![j]!));
  const good = Number.isFinite(logLikelihood) && gradient.every(Number.isFinite) &&
    information.flat().every(Number.isFinite);
  return good ? { logLikelihood, gradient, information } : noCoxSums(gradient.length);
}

/** The sums of a site whose strata each have a baseline of their own. */
export function siteSums(rows: SurvivalRows, coefficients: number[], ties: Ties): CoxSums {
  const size = coefficients.length;
  const eta = predict(rows, coefficients);
  const sums = rows.strata.map((stratum) => {
    const { shift, hazards } = hazardsOf(eta, stratum);
    const at = eventTimesOf(rows, stratum);
    const sets = riskSetsOf(rows, { stratum, hazards, at, ties });
    const weighed = weighRiskSets(sets, { events: at.events, size, ties });
    const events = at.events.reduce((sum, count) => sum + count, 0);
    const logarithms = events === 0 ? 0 : weighed.logarithms + events * shift;
    const summed = sumRows(rows, { stratum, eta, hazards, at: at.times, ...weighed });
    return combineSums(summed, { ...weighed, logarithms });
  });
  return addCoxSums(sums, size);
}

/** The hazards of a stratum's rows, divided by the largest so that all of them are numbers. */
function hazardsOf(eta: Float64Array, stratum: Uint32Array) {
  let shift = -Infinity;
  for (let i = 0; i < stratum.length; i++) shift = Math.max(shift, eta[stratum[i]!]!);
  const hazards = new Float64Array(eta.length);
  for (const row of stratum) hazards[row] = Math.exp(eta[row]! - shift);
  return { shift, hazards };
}

/** Of hazards that are no numbers. */
export function noCoxSums(size: number): CoxSums {
  return { ...emptyCoxSums(size), logLikelihood: null };
}

export function addCoxSums(parts: CoxSums[], size: number): CoxSums {
  if (parts.some(({ logLikelihood }) => logLikelihood === null)) return noCoxSums(size);
  const sum = emptyCoxSums(size);
  for (const { logLikelihood, gradient, information } of parts) {
    sum.logLikelihood! += logLikelihood!;
    for (let i = 0; i < size; i++) {
      sum.gradient[i]! += gradient[i]!;
      for (let j = 0; j < size; j++) sum.information[i]![j]! += information[i]![j]!;
    }
  }
  return sum;
}

export function readCoxSums(value: unknown, size: number): CoxSums {
  return readFields<CoxSums>(value, {
    logLikelihood: (one) => one === null ? null : readNumber(one),
    gradient: (one) => readList(one, readNumber, size),
    information: (one) => readSquare(one, size),
  });
}

export interface CoxModel {
  terms: Term[];
  iterations: number;
  /** The sums of all sites at these coefficients. */
  at: (coefficients: number[]) => Promise<CoxSums>;
}

export interface CoxFit {
  /** Scaled as the columns are. */
  coefficients: number[];
  covariances: number[][];
  logLikelihood: number;
  /** At coefficients of 0. */
  nullLogLikelihood: number;
  /** The score test's statistic. */
  score: number;
  iterations: number;
}

/** Fits a model; throws if it has no single solution, no finite one, or does not converge. */
export async function fitCox(model: CoxModel): Promise<CoxFit> {
  const { terms, iterations } = model;
  let coefficients = terms.map(() => 0);
  let sums = await model.at(coefficients);
  const nullLogLikelihood = sums.logLikelihood!;
  let score: number | undefined;
  for (let iteration = 1; iteration <= iterations; iteration++) {
    const triangle = triangleOf(sums.information);
    const dependent = dependentColumn(triangle, terms.length, TOLERANCE);
    if (dependent !== undefined) throw iteration === 1 ? dependence(terms, dependent) : endless();
    const half = solveTransposed(triangle, sums.gradient);
    const length = half.reduce((sum, value) => sum + value * value, 0);
    score ??= length;
    const moved = await moveTo(model, coefficients, sums, solveTriangle(triangle, half));
    throwIfEndless(terms, { coefficients, sums }, moved);
    ({ coefficients, sums } = moved);
    if (length > CONVERGED) continue;
    return {
      coefficients,
      covariances: inverse(triangleOf(sums.information)),
      logLikelihood: sums.logLikelihood!,
      nullLogLikelihood,
      score,
      iterations: iteration,
    };
  }
  throw new Error(`The model has not converged after ${iterations} iterations.`);
}

interface Position {
  coefficients: number[];
  sums: CoxSums;
}

/** A step, or half of it, or half of that, until the fit is better. */
async function moveTo(
  { at }: CoxModel,
  coefficients: number[],
  sums: CoxSums,
  step: number[],
): Promise<Position> {
  const slack = 1e-12 * Math.abs(sums.logLikelihood!) + 1e-12;
  for (let part = 1; part > 1e-4; part /= 2) {
    const next = coefficients.map((value, i) => value + part * step[i]!);
    const found = await at(next);
    if (found.logLikelihood !== null && found.logLikelihood >= sums.logLikelihood! - slack) {
      return { coefficients: next, sums: found };
    }
  }
  throw new Error("The model does not converge: no step makes the fit better.");
}

function dependence(terms: Term[], column: number): Error {
  const before = terms.slice(0, column).map(({ name }) => `"${name}"`).join(", ");
  return new Error(
    `The model has no single solution: within each stratum, the predictor ` +
      `"${terms[column]!.name}" is the same in all rows at risk` +
      (before ? `, or follows from ${before}.` : "."),
  );
}

function endless(name?: string): Error {
  const which = name === undefined ? "A coefficient" : `The coefficient of "${name}"`;
  return new Error(
    `${which} has no finite value: the predictors tell for certain in which order events happen.`,
  );
}

/** Throws where a coefficient grows on while the fit hardly gets better: its best is infinite. */
function throwIfEndless(terms: Term[], from: Position, to: Position) {
  const gain = to.sums.logLikelihood! - from.sums.logLikelihood!;
  const changes = to.coefficients.map((value, i) => Math.abs(value - from.coefficients[i]!));
  const largest = changes.indexOf(Math.max(...changes));
  if (gain > 1e-6 * Math.max(1, Math.abs(to.sums.logLikelihood!))) return;
  if (changes[largest]! >= ENDLESS) throw endless(terms[largest]!.name);
}
