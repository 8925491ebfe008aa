/**
 * Least-squares regression of a numeric column on others over all organizations, with the same
 * numbers as if the rows had been pooled.
 *
 * What leaves an organization is the triangle R of the QR decomposition of its rows (1, predictors,
 * outcome). It says the same as the sums of products X'X, X'y and y'y, for R'R is all of them, but
 * in twice as many digits; and the triangle of the organizations' triangles, one below the other,
 * is the triangle of all rows.
 * @module
 */
import type { Context } from "./api.ts";
import type { Description } from "./sextant/description.ts";

const model = {
  outcome: {
    type: "column",
    columnType: "number",
    label: "Outcome",
    help: "The column that is explained",
  },
  predictors: {
    type: "columns",
    columnType: "number",
    label: "Predictors",
    help: "The columns that explain it",
  },
  organizations: {
    type: "organizations",
    optional: true,
    label: "Organizations",
    help: "Whose rows are used: all of the collaboration unless given",
  },
} as const;

export const description = {
  name: "linear_regression",
  version: "1.0.0",
  summary: "Least-squares regression of a numeric column on others, as if the rows were pooled.",
  methods: {
    central: {
      label: "Linear regression",
      help: "Asks organizations for the sums of products of their rows, and solves",
      rows: "none",
      arguments: model,
      outputs: [
        {
          name: "coefficients",
          kind: "model",
          help: "By predictor, and intercept",
          restsOn: "n",
          keys: "setting",
        },
        {
          name: "standard_errors",
          kind: "model",
          help: "By predictor, and intercept; null without rows to spare",
          restsOn: "n",
          keys: "setting",
        },
        {
          name: "r_squared",
          kind: "estimate",
          help: "Null where the outcome does not vary",
          restsOn: "n",
        },
        { name: "n", kind: "count", help: "Rows in which nothing is missing" },
        { name: "dropped", kind: "count", help: "Rows left out" },
        { name: "withheld", kind: "setting", help: "What which organization's rules withheld" },
      ],
      rounds: "Once: of each organization the triangle of its rows, and two counts",
    },
    partial: {
      label: "One organization's part",
      help: "The triangle whose products are the sums of products of the rows",
      arguments: model,
      outputs: [
        { name: "n", kind: "count", help: "Rows in which nothing is missing" },
        { name: "dropped", kind: "count", help: "Rows left out" },
        { name: "centre", kind: "model", help: "Means of the columns", restsOn: "n" },
        {
          name: "triangle",
          kind: "model",
          help: "Whose products are the sums of products of the rows",
          restsOn: "n",
          terms: "centre",
        },
      ],
    },
  },
} as const satisfies Description;

interface Model {
  outcome: string;
  predictors: string[];
  /** Ids of the organizations to ask; all of the collaboration if left out. */
  organizations?: number[] | undefined;
}

/** What leaves an organization, unless the rules there withhold it. */
interface Part {
  /** Rows in which nothing is missing. */
  n: number;
  /** Rows left out because something is; null where that is withheld. */
  dropped: number | null;
  /**
   * Subtracted from each predictor and the outcome: with values far from zero, digits would be
   * lost.
   */
  centre: number[];
  triangle: number[][];
}

/**
 * A predictor of whose spread the ones before it leave no more than this is determined by them (as
 * in R's lm).
 */
const TOLERANCE = 1e-7;

/**
 * Returns `{coefficients, standard_errors, r_squared, n, dropped}`, the first two by predictor and
 * `intercept`. Standard errors are null without rows to spare, r_squared if the outcome does not
 * vary. Where organizations withhold something, `withheld` says who and what: one that withholds
 * more than how many rows were dropped is left out, and then `dropped` is null.
 */
export async function central(context: Context, args: Model) {
  const { outcome, predictors, organizations } = args;
  checkNames(args);
  const asked = organizations ?? (await context.organizations()).map(({ id }) => id);
  context.log(`Asking ${asked.length} organizations for their part of the regression`);
  const { id } = await context.createTask({
    organizations: asked,
    input: { method: "partial", kwargs: { outcome, predictors } },
    name: `partial regression of ${outcome}`,
  });
  const results = await context.results(id);
  const withheld = results.flatMap(({ organization_id, result }) => {
    const { withheld } = (result ?? {}) as { withheld?: unknown };
    return withheld === undefined ? [] : [{ organization: organization_id, withheld }];
  });
  const told = results.filter(({ result }) => !isWithheld(result));
  if (told.length === 0) throw new Error("Every organization withholds its part.");
  const parts = told.map(({ result }) => checkPart(result, predictors));
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  const dropped = told.length < results.length || parts.some((part) => part.dropped === null)
    ? null
    : parts.reduce((sum, part) => sum + part.dropped!, 0);
  if (n <= predictors.length) {
    throw new Error(`${n} complete rows are too few for ${predictors.length + 1} coefficients.`);
  }
  const centre = parts.find((part) => part.n > 0)!.centre;
  const rows = parts.flatMap((part) =>
    part.triangle.map((row) =>
      row.map((value, i) =>
        i === 0 ? value : value + row[0]! * (part.centre[i - 1]! - centre[i - 1]!)
      )
    )
  );
  return {
    ...solve(triangle(rows, centre.length + 1), centre, n, predictors),
    n,
    dropped,
    ...(withheld.length > 0 ? { withheld } : {}),
  };
}

/** Returns this organization's {@linkcode Part}. */
export function partial(context: Context, args: Model): Part {
  const { outcome, predictors } = args;
  checkNames(args);
  const table = context.table();
  if ((context.disclosure?.roundTo ?? 1) > 1) {
    throw new DisclosureError(
      "The owner of this node lets counts leave rounded only, by which a regression would be wrong: " +
        "use deno:glm.",
    );
  }
  const columns = [...predictors, outcome].map((name) => table.numeric(name));
  const all = columns[0]!.map((_, row) => columns.map((values) => values[row]));
  const rows = all.filter((row): row is number[] => row.every((value) => value !== null));
  const centre = columns.map((_, i) =>
    rows.reduce((mean, row, before) => mean + (row[i]! - mean) / (before + 1), 0)
  );
  const offsets = rows.map((row) => [1, ...row.map((value, i) => value - centre[i]!)]);
  const r = triangle(offsets, centre.length + 1);
  return { n: rows.length, dropped: all.length - rows.length, centre, triangle: r };
}

/** Its words leave a site whatever its rules are. */
class DisclosureError extends Error {
  override name = "DisclosureError";
}

/** The upper triangle R for which R'R is the sum of products of the rows, by Givens rotations. */
function triangle(rows: number[][], size: number): number[][] {
  const r = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (const row of rows) {
    const rest = [...row];
    for (let i = 0; i < size; i++) {
      if (rest[i] === 0) continue;
      const length = Math.hypot(r[i]![i]!, rest[i]!);
      const [cos, sin] = [r[i]![i]! / length, rest[i]! / length];
      for (let j = i; j < size; j++) {
        const [a, b] = [r[i]![j]!, rest[j]!];
        r[i]![j] = cos * a + sin * b;
        rest[j] = cos * b - sin * a;
      }
    }
  }
  return r;
}

/** The regression of the last column of the triangle on the others. */
function solve(r: number[][], centre: number[], n: number, predictors: string[]) {
  const last = r.length - 1;
  const spread = (column: number) => Math.hypot(...r.slice(1).map((row) => row[column]!));
  predictors.forEach((name, i) => {
    if (Math.abs(r[i + 1]![i + 1]!) > TOLERANCE * spread(i + 1)) return;
    const why = spread(i + 1) === 0
      ? "has the same value everywhere"
      : `follows from ${predictors.slice(0, i).join(", ")}`;
    throw new Error(`There is no single solution: the predictor "${name}" ${why}.`);
  });

  const slopes: number[] = [];
  for (let i = last - 1; i >= 0; i--) {
    let rest = r[i]![last]!;
    for (let j = i + 1; j < last; j++) rest -= r[i]![j]! * slopes[j]!;
    slopes[i] = rest / r[i]![i]!;
  }
  const deviation = n > last ? Math.abs(r[last]![last]!) / Math.sqrt(n - last) : null;
  /** The standard error of the coefficients' sum with these weights. */
  function error(weights: number[]): number | null {
    const z: number[] = [];
    for (const [i, weight] of weights.entries()) {
      z.push(z.reduce((rest, value, j) => rest - r[j]![i]! * value, weight) / r[i]![i]!);
    }
    return deviation === null ? null : deviation * Math.hypot(...z);
  }

  // What was solved for is the height at the centre; the intercept is the one at zero.
  const atZero = [1, ...predictors.map((_, i) => -centre[i]!)];
  const intercept = slopes.reduce((sum, slope, i) => sum + slope * atZero[i]!, centre.at(-1)!);
  const named = <T>(values: T[]): Record<string, T> =>
    Object.fromEntries(["intercept", ...predictors].map((name, i) => [name, values[i]!]));
  return {
    coefficients: named([intercept, ...slopes.slice(1)]),
    standard_errors: named(
      atZero.map((_, i) => error(i === 0 ? atZero : atZero.map((_, j) => i === j ? 1 : 0))),
    ),
    r_squared: spread(last) > 0 ? 1 - (r[last]![last]! / spread(last)) ** 2 : null,
  };
}

function checkNames({ outcome, predictors }: Model): void {
  const names = [outcome, ...predictors, "intercept"];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new TypeError(`The name "${twice}" stands for two things in this model.`);
}

/** Whether the rules of the site leave too little of its part. */
function isWithheld(result: unknown): boolean {
  const { n, centre, triangle, withheld } = (result ?? {}) as Partial<Part> & {
    withheld?: unknown;
  };
  return withheld !== undefined && (n == null || centre == null || triangle == null);
}

function checkPart(result: unknown, { length }: string[]): Part {
  const part = (result ?? {}) as Part;
  const rows = Array.isArray(part.triangle) ? part.triangle : [];
  const sizes = [part.centre?.length, rows.length - 1, ...rows.map((row) => row?.length - 1)];
  const numbers = [part.n, part.dropped ?? 0, part.centre, rows].flat(2);
  if (sizes.every((size) => size === length + 1) && numbers.every(Number.isFinite)) return part;
  throw new TypeError("An organization returned something other than its part of the regression.");
}
