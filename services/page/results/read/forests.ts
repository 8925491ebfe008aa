/**
 * Estimates with their intervals: coefficients of models, tests of pairs, rates, studies.
 * @module
 */
import type { Estimate, Forest, Picture, Table } from "./pieces.ts";
import { isRecord, isRecords, namedTable, numberOf, readEstimate, tableOf } from "./values.ts";
import type { Values } from "./values.ts";

export interface Drawn {
  table: Table;
  picture: Picture | undefined;
  /** What it is of, where an output has several pictures. */
  part?: string;
}

/** More would be no picture any more. */
const MOST = 80;

/** Estimates as a picture; `undefined` where there are none to see, or too many. */
export function forestOf(
  estimates: Estimate[],
  { scale, hasZero = true, whisker = "interval", leftOut = [] }: {
    scale: Forest["scale"];
    hasZero?: boolean;
    whisker?: Forest["whisker"];
    leftOut?: string[];
  },
): Forest | undefined {
  // A logarithmic scale has no place for 0.
  const shown = estimates.filter(({ value }) => scale === "linear" || value > 0);
  if (shown.length === 0 || shown.length > MOST) return undefined;
  return { is: "forest", scale, hasZero, whisker, estimates: shown, leftOut };
}

/** Coefficients by term. With ratios these are what is drawn. */
export function readCoefficients(value: unknown): Drawn | undefined {
  if (!isRecord(value)) return undefined;
  const terms = Object.entries(value);
  if (terms.length === 0) return undefined;
  const estimates = terms.map(([name, one]) => readEstimate(name, one));
  if (estimates.includes(undefined)) return undefined;
  const table = namedTable(value, "term");
  const ratios = terms.map(([name, one]) => readEstimate(name, (one as Values).ratio));
  const isRatio = ratios.every((one) => one !== undefined);
  const all = (isRatio ? ratios : estimates) as Estimate[];
  // It is compared with nothing, and of another size than all others.
  const others = all.filter(({ name }) => name !== "intercept");
  const leftOut = others.length > 0 && others.length < all.length ? ["intercept"] : [];
  return {
    table,
    picture: forestOf(leftOut.length > 0 ? others : all, {
      scale: isRatio ? "ratio" : "linear",
      leftOut,
    }),
  };
}

/** What an estimate in a list may be called. */
const ESTIMATES = ["estimate", "r", "effect", "mean", "rate"];

/** A list of estimates with intervals, each named by its texts: `age · bmi`. */
export function readEstimateList(value: unknown): Drawn | undefined {
  if (!isRecords(value)) return undefined;
  const field = ESTIMATES.find((name) => value.every((one) => name in one));
  const isOne = (one: Values) => "low" in one && "high" in one;
  if (field === undefined || !value.every(isOne)) return undefined;
  const estimates = value.flatMap((one): Estimate[] => {
    const estimate = numberOf(one[field]);
    const name = Object.values(one).filter((text) => typeof text === "string").join(" · ");
    if (estimate === null) return [];
    return [{ name, value: estimate, low: numberOf(one.low), high: numberOf(one.high) }];
  });
  return { table: tableOf(value), picture: forestOf(estimates, { scale: "linear" }) };
}

/** Effects by organization, without intervals. */
export function readEffects(value: unknown): Drawn | undefined {
  if (!isRecords(value) || !value.every((one) => "organization" in one && "effect" in one)) {
    return undefined;
  }
  const estimates = value.flatMap(({ organization, effect }): Estimate[] => {
    const found = numberOf(effect);
    return found === null
      ? []
      : [{ ...whoseOf(organization), value: found, low: null, high: null }];
  });
  return {
    table: tableOf(value),
    picture: forestOf(estimates, { scale: "linear", whisker: "none" }),
  };
}

/** An organization, by its id. */
export function whoseOf(organization: unknown): { name: string; organization?: number } {
  const id = numberOf(organization);
  return id === null ? { name: "" } : { name: "", organization: id };
}

/** By group a record in which one or more fields are estimates: `rate`, `ratio`. */
export function readGroupedEstimates(value: unknown): Drawn[] | undefined {
  if (!isRecord(value)) return undefined;
  const groups = Object.entries(value);
  if (groups.length === 0 || !groups.every(([, one]) => isRecord(one))) return undefined;
  const fields = new Set(
    groups.flatMap(([, one]) =>
      Object.entries(one as Values).filter(([name, part]) => readEstimate(name, part))
        .map(([name]) => name)
    ),
  );
  if (fields.size === 0) return undefined;
  const table = namedTable(value, "group");
  return [...fields].flatMap((field, index): Drawn[] => {
    const estimates = groups.flatMap(([name, one]) => {
      const found = readEstimate(name, (one as Values)[field]);
      return found ? [found] : [];
    });
    const scale = /(^|_)ratio$/.test(field) ? "ratio" : "linear";
    const hasZero = /difference$/.test(field);
    const picture = forestOf(estimates, { scale, hasZero });
    // The numbers of all of them are one table, beside the first picture.
    if (index === 0) return [{ table, picture, part: field }];
    const own = tableOf(estimates.map(({ name, value, low, high }) => (
      { group: name, estimate: value, low, high }
    )));
    return picture ? [{ table: own, picture, part: field }] : [];
  });
}

/** Means with their standard errors, by group. */
export function readMeans(value: unknown): Drawn | undefined {
  if (!isRecord(value)) return undefined;
  const groups = Object.entries(value);
  const isOne = (one: unknown) => isRecord(one) && "mean" in one && "standard_error" in one;
  if (groups.length === 0 || !groups.every(([, one]) => isOne(one))) return undefined;
  const estimates = groups.flatMap(([name, one]): Estimate[] => {
    const mean = numberOf((one as Values).mean);
    const error = numberOf((one as Values).standard_error);
    if (mean === null) return [];
    const reach = (sign: number) => error === null ? null : mean + sign * error;
    return [{ name, value: mean, low: reach(-1), high: reach(1) }];
  });
  return {
    table: namedTable(value, "group"),
    picture: forestOf(estimates, { scale: "linear", hasZero: false, whisker: "error" }),
  };
}

/** What the picture shows of a study, for its table. */
function intervalOf(study: Values, z: number): Values {
  const value = numberOf(study.estimate);
  const error = numberOf(study.standard_error);
  if (value === null || error === null || !Number.isFinite(z) || "low" in study) return {};
  return { low: value - z * error, high: value + z * error };
}

/** A meta-analysis: by term each organization's estimate, and what they come to. */
export function readMeta(value: unknown): Drawn[] | undefined {
  if (!isRecord(value)) return undefined;
  const terms = Object.entries(value);
  const isOne = (one: unknown) =>
    isRecord(one) && readEstimate("", one.fixed) && readEstimate("", one.random) &&
    isRecords(one.studies);
  if (terms.length === 0 || !terms.every(([, one]) => isOne(one))) return undefined;
  return terms.map(([name, one]) => readMetaTerm(name, one as Values));
}

function readMetaTerm(part: string, { fixed, random, studies }: Values): Drawn {
  const totals = [["fixed", fixed], ["random", random]] as [string, Values][];
  const isRatio = totals.every(([, total]) => readEstimate("", total.ratio));
  const shown = (number: number | null) =>
    number === null ? null : isRatio ? Math.exp(number) : number;
  const { estimate, high, standard_error } = fixed as Values;
  // As many standard errors as the interval of the total has.
  const z = (numberOf(high)! - numberOf(estimate)!) / numberOf(standard_error)!;
  const each = (studies as Values[]).flatMap((study): Estimate[] => {
    const value = numberOf(study.estimate);
    const error = numberOf(study.standard_error);
    if (value === null) return [];
    const reach = (sign: number) =>
      error === null || !Number.isFinite(z) ? null : shown(value + sign * z * error);
    const weight = numberOf(study.weight_random);
    return [{
      ...whoseOf(study.organization),
      value: shown(value)!,
      low: reach(-1),
      high: reach(1),
      ...weight === null ? {} : { weight },
    }];
  });
  const together = totals.map(([name, total]): Estimate => ({
    ...readEstimate(name, isRatio ? total.ratio : total)!,
    isTotal: true,
  }));
  const table = tableOf([
    ...(studies as Values[]).map((study) => ({ ...study, ...intervalOf(study, z) })),
    ...totals.map(([name, { ratio: _, ...total }]) => ({ organization: name, ...total })),
  ]);
  return {
    part,
    table,
    picture: forestOf([...each, ...together], { scale: isRatio ? "ratio" : "linear" }),
  };
}
