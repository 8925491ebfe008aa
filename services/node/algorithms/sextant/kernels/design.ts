/**
 * The columns of a model: its predictors' numbers, and for a category one of zeros and ones for
 * each level but the one that the others are compared with.
 * @module
 */
import { PartWithheld, requireLevels, requireSubset } from "../disclosure.ts";
import { requireShares } from "../shares.ts";
import { type Part, readCount, readFields, readMoments, readRecord } from "../parts.ts";
import { coverage, type Frame, readLeftOut, requireRows, type Used, usedRows } from "./frame.ts";
import { mergeMoments, type Moments, momentsOf } from "./moments.ts";
import { isPlainlyScaled, requireScale } from "./predictions.ts";
import { requireKinds } from "./require_kinds.ts";
import type { Agreed, Variable } from "./survey.ts";

/** One coefficient of a model. */
export interface Term {
  /** `age`, or `sex[male]`. */
  name: string;
  variable: string;
  /** Of a category: the place of the level. */
  level?: number | undefined;
  /** Subtracted from the numbers, which are then divided by `scale`: it keeps digits. */
  centre: number;
  scale: number;
}

/** The levels that a model uses, and sentences about those that it leaves out. */
export function commonLevels(
  agreed: Agreed,
  least: number,
): { variable: Variable; notes: string[] } {
  const { name, levels, counts } = agreed;
  if (!levels) return { variable: { name }, notes: [] };
  const rare = levels.filter((level) => counts[level]! < least);
  return {
    variable: { name, levels: levels.filter((level) => !rare.includes(level)) },
    notes: rare.length === 0
      ? []
      : [`Of "${name}", ${rare.length} levels of fewer than ${least} rows were left out.`],
  };
}

/** The terms of predictors, with neither centre nor scale yet. */
export function termsOf(predictors: Variable[], reference: Record<string, unknown>): Term[] {
  for (const name of Object.keys(reference)) {
    if (predictors.some((predictor) => predictor.name === name && predictor.levels)) continue;
    throw new TypeError(`"reference" names "${name}", which is no category among the predictors.`);
  }
  return predictors.flatMap(({ name, levels }) => {
    if (!levels) return [{ name, variable: name, centre: 0, scale: 1 }];
    if (levels.length < 2) {
      throw new Error(
        levels.length === 1
          ? `The predictor "${name}" has the same value everywhere: "${levels[0]}".`
          : `No level of the predictor "${name}" has rows enough.`,
      );
    }
    const base = Object.hasOwn(reference, name) ? levels.indexOf(String(reference[name])) : 0;
    if (base < 0) {
      const known = levels.map((level) => `"${level}"`).join(", ");
      throw new TypeError(
        `"reference" of "${name}" must be one of its levels: ${known}.`,
      );
    }
    return levels.flatMap((level, place) =>
      place === base
        ? []
        : [{ name: `${name}[${level}]`, variable: name, level: place, centre: 0, scale: 1 }]
    );
  });
}

/**
 * Under rules, refuses rows that are too few for so many coefficients, or in which a column, or two
 * together, show a few.
 */
export function requireModel(
  { n, site }: Pick<Frame, "n" | "site">,
  columns: readonly Float64Array[],
  coefficients: number,
) {
  if (!site || n === 0) return;
  const persons = requireSubset(site, n);
  if (coefficients > site.rules.maxTermsShare * persons) throw new PartWithheld("max_terms_share");
  if (persons - coefficients < site.rules.minResidualFreedom) {
    throw new PartWithheld("min_residual_freedom");
  }
  requireLevels(site, columns);
  requireShares(site, columns);
  requireKinds(site, columns);
}

/** What a part of a model says of its rows, and to the site's rules of its coefficients. */
export function usedByModel(frame: Frame, coefficients: number): Used & { coefficients?: number } {
  return { ...usedRows(frame), ...frame.site && { coefficients } };
}

/** What a site says of the rows that it will use. */
export interface Start extends Used {
  /** How many the model has; for the site's rules. */
  coefficients?: number;
  /** Of each term's column, and of the outcome and what else the model names. */
  moments: Record<string, Moments>;
}

/** This site's {@linkcode Start}, of a model that has an intercept, too, unless said. */
export function startOf(
  frame: Frame,
  terms: Term[],
  others: string[],
  coefficients = terms.length + 1,
): Start {
  const columns = [
    ...terms.map((term) => [term.name, termColumn(frame, term)] as const),
    ...others.map((name) => [`:${name}`, frame.column(name)] as const),
  ];
  return {
    ...usedByModel(frame, coefficients),
    moments: Object.fromEntries(columns.map(([name, values]) => [name, momentsOf(values)])),
  };
}

export function readStart(value: unknown): Start {
  return readFields<Start>(value, {
    n: readCount,
    leftOut: readLeftOut,
    moments: (moments) => readRecord(moments, readMoments),
  });
}

/**
 * The terms scaled to the rows of all sites; throws if these cannot carry the model, which has an
 * intercept, too, unless said.
 */
export function scaleTerms(
  terms: Term[],
  parts: Part<Start>[],
  coefficients = terms.length + 1,
): Term[] {
  const { n, left_out } = coverage(parts);
  requireRows(
    { n, left_out },
    `No row is complete: of ${left_out.rows} rows, each lacks a value that the model needs.`,
  );
  if (n <= coefficients) {
    throw new Error(`${n} complete rows are too few for ${coefficients} coefficients.`);
  }
  return terms.map((term) => {
    const { mean, squares } = startMoments(parts, term.name);
    const spread = Math.sqrt(squares / n);
    if (spread <= 1e-14 * Math.abs(mean) || spread === 0) {
      throw new Error(
        term.level === undefined
          ? `The predictor "${term.name}" has the same value in all rows that the model uses.`
          : `The level ${term.name} is in ${mean === 0 ? "none" : "all"} of the rows ` +
            `that the model uses.`,
      );
    }
    return term.level === undefined ? { ...term, centre: mean, scale: spread } : term;
  });
}

/**
 * The moments over all sites of a term's column, or of another column, whose name begins with ":".
 */
export function startMoments(parts: Part<Start>[], name: string): Moments {
  return mergeMoments(parts.flatMap(({ part }) => part.moments[name] ?? []));
}

/** The column of a term, centred and scaled. */
export function termColumn(frame: Frame, { variable, level, centre, scale }: Term): Float64Array {
  const values = frame.column(variable);
  // A number that is taken for a level is a filter.
  if (level !== undefined && !frame.isCategory(variable)) {
    throw new TypeError(`A term names a level of the column "${variable}", which has none.`);
  }
  // As they are: about a centre from far off everybody's are alike.
  if (level === undefined && frame.site) requireShares(frame.site, [values]);
  if (level === undefined && centre === 0 && scale === 1) return values;
  // Loops, which take a third of the time that map() takes.
  const found = new Float64Array(values.length);
  if (level !== undefined) {
    for (let i = 0; i < values.length; i++) if (values[i] === level) found[i] = 1;
    return found;
  }
  let [sum, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const scaled = (values[i]! - centre) / scale;
    found[i] = scaled;
    sum += scaled;
    squares += scaled * scaled;
  }
  if (!isPlainlyScaled({ n: values.length, sum, squares })) {
    requireScale(frame.site, values, { centre, scale });
  }
  return found;
}

/** Coefficients and their covariances for the columns as they are, with the intercept first. */
export function unscale(terms: Term[], coefficients: number[], covariances: number[][]) {
  // Each coefficient is a sum of scaled ones with these weights.
  const weights = [
    [1, ...terms.map(({ centre, scale }) => -centre / scale)],
    ...terms.map(({ scale }, i) => [0, ...terms.map((_, j) => i === j ? 1 / scale : 0)]),
  ];
  const product = (a: number[], b: number[]) => a.reduce((sum, one, i) => sum + one * b[i]!, 0);
  const half = weights.map((row) => covariances.map((column) => product(row, column)));
  return {
    coefficients: weights.map((row) => product(row, coefficients)),
    covariances: half.map((row) => weights.map((other) => product(row, other))),
  };
}
