/**
 * Means and products of terms, over the rows in which all of them have a value.
 * @module
 */
import type { CrossProductsAnswer, Table, Term } from "../../algorithms/api.ts";
import { comomentsOf } from "../../algorithms/sextant/kernels/comoments.ts";
import { kindOf, lineOf } from "../../algorithms/sextant/kernels/column_kinds.ts";
import { begin, end, numbersOfColumn, Withheld } from "./answer_head.ts";
import {
  beginTelling,
  type Cells,
  cellsOf,
  countMeasures,
  OUTSIDE,
  rounded,
  type Rule,
  type Rules,
  type Session,
  useGroups,
} from "./session.ts";
import { sizesOf } from "./released.ts";
import {
  contributionsOf,
  type GroupValues,
  levelsOf,
  valuesIn,
  whyNotDerived,
  whyNotMoments,
  whyNotTotal,
} from "./values.ts";

export interface CrossProductsQuestion {
  terms: Term[];
  where?: string | undefined;
  weights?: string | undefined;
}

export function answerCrossProducts(
  session: Session,
  { terms, where, weights }: CrossProductsQuestion,
): CrossProductsAnswer {
  const { table, rules } = session;
  const columns = terms.map((term) => valuesOf(table, term));
  const weighting = weights === undefined ? undefined : weightsOf(table, weights);
  const all = weighting ? [...columns, weighting] : columns;
  const places = new Int32Array(table.length);
  for (const values of all) {
    for (let row = 0; row < places.length; row++) if (Number.isNaN(values[row]!)) places[row] = -1;
  }
  const cells = cellsOf(session, { where, places, count: 1 });
  const withheld = new Withheld();
  const nothing = { means: null, products: null, weight: null };
  if (!begin(session, cells, withheld)) return { ...end(session, cells, withheld), ...nothing };

  const names = terms.map(nameOf);
  const asked = {
    names: weights === undefined ? names : [...names, nameOf(weights)],
    columns: all,
  };
  const parts = weighting ? partsByWeight(session, cells, weighting) : [];
  const why =
    (weighting && whyNotWeights(valuesIn(cells.of, 0, weighting, session.persons), rules)) ??
      firstOf([cells, ...parts], (one) => whyNot(session, { cells: one, ...asked }));
  if (!withheld.unless(why)) return { ...end(session, undefined, withheld), ...nothing };
  for (const name of names) session.terms.add(name);
  for (const one of [cells, ...parts]) useLevels(session, one, all);
  const kept = columns.map((values) => valuesIn(cells.of, 0, values, undefined).values);
  const head = end(session, cells, withheld);
  if (weighting) {
    const weight = valuesIn(cells.of, 0, weighting, undefined).values;
    return { ...head, ...weightedComoments(kept, weight, rules) };
  }
  return { ...head, ...roundedComoments(kept, rules), weight: head.n };
}

function nameOf(term: Term): string {
  return typeof term === "string" ? term : `${term.column}[${term.level}]`;
}

function valuesOf(table: Table, term: Term): Float64Array {
  if (typeof term === "string") return numbersOfColumn(table, term);
  const { type, values } = table.column(term.column);
  if (type === "date") {
    throw new TypeError(`The column "${term.column}" holds dates, which are no levels.`);
  }
  return Float64Array.from(
    values as unknown[],
    (value) => value === null ? NaN : String(value) === term.level ? 1 : 0,
  );
}

/** Rows that do not weigh more than nothing are left out. */
function weightsOf(table: Table, name: string): Float64Array {
  return numbersOfColumn(table, name).map((value) => value > 0 ? value : NaN);
}

/**
 * The rows of each weight, where weights are few or most have the same: with the products that are
 * not weighted, the weighted ones are these rows' own.
 */
function partsByWeight(session: Session, cells: Cells, weights: Float64Array): Cells[] {
  if (session.rules.minCell <= 1) return [];
  const { values } = valuesIn(cells.of, 0, weights, undefined);
  const kind = kindOf(values, session.rules.minLevel);
  if (!kind || kind.size < 2) return [];
  const places = spread(cells, kind.places);
  return Array.from({ length: kind.size }, (_, part) => {
    const of = places.map((place, row) =>
      place === part ? 0 : cells.of[row] === 0 ? OUTSIDE : cells.of[row]!
    );
    const rows = sizesOf(of, 1, undefined);
    const persons = sizesOf(of, 1, session.persons);
    return { of, rows, persons, n: rows[0]!, people: persons[0]! };
  });
}

/** Of each row of the table its place among parts of the rows that are asked about; -1 for none. */
function spread({ of }: Cells, places: Int32Array): Int32Array {
  let at = 0;
  return of.map((cell) => cell === 0 ? places[at++]! : -1);
}

function firstOf<Item, Found>(
  items: readonly Item[],
  find: (item: Item) => Found | undefined,
): Found | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
}

/** The products of a column of few values are sums over the rows of each of these. */
function useLevels(session: Session, cells: Cells, columns: Float64Array[]): void {
  const groups = columns.map((values) => valuesIn(cells.of, 0, values, undefined).values);
  for (const { places, size } of partsOf(groups, session.rules)) {
    if (size > 1) useGroups(session, spread(cells, places), size);
  }
}

/** How the values of columns, and what two of them differ in, part the rows. */
function partsOf(
  columns: Float64Array[],
  { minLevel }: Rules,
): { places: Int32Array; size: number }[] {
  const kinds = columns.map((values) => kindOf(values, minLevel));
  const lines = columns.flatMap((one, i) =>
    columns.slice(0, i).flatMap((other, j) => {
      if (kinds[i]?.isFew || kinds[j]?.isFew) return [];
      const line = lineOf([one, other], [kinds[i], kinds[j]], minLevel);
      return line && line.off > 0 ? [{ places: line.places, size: 2 }] : [];
    })
  );
  return [...kinds.filter((kind) => kind !== undefined), ...lines];
}

/** The rule that forbids to tell the products of these columns, if one does. */
function whyNot(
  session: Session,
  { cells, names, columns }: { cells: Cells; names: string[]; columns: Float64Array[] },
): Rule | undefined {
  const { rules, persons } = session;
  const asked = new Set([...session.terms, ...names]).size;
  if (asked > rules.maxTermsShare * cells.people) return "max_terms_share";
  if (cells.people - asked < rules.minResidualFreedom) return "min_residual_freedom";
  const groups = columns.map((values) => valuesIn(cells.of, 0, values, persons));
  for (const group of groups) {
    const why = whyNotMoments(group, rules);
    if (why) return why;
  }
  for (const { places, size } of partsOf(groups.map(({ values }) => values), rules)) {
    const sizes = sizesOf(places, size, groups[0]?.persons);
    if (sizes.some((people) => people > 0 && people < rules.minLevel)) return "min_level";
  }
  const kinds = groups.map(({ values }) => baseOf(values));
  const several = groups.map(({ values }, i) => {
    const kind = kinds[i] ? undefined : kindOf(values, rules.minLevel);
    return kind && kind.size > 2 ? { size: kind.size, of: spread(cells, kind.places) } : undefined;
  });
  return whyNotJoint(groups, kinds, rules) ??
    whyNotBeside(session, { cells, names, columns, kinds, several });
}

/** One person must not weigh as much as all others. */
function whyNotWeights(group: GroupValues, rules: Rules): Rule | undefined {
  const sizes = contributionsOf(group);
  const total = sizes.reduce((sum, one) => sum + one, 0);
  const largest = sizes.reduce((most, one) => Math.max(most, one), 0);
  return largest * rules.minCell > total ? "dominance" : whyNotTotal(group, rules);
}

/** The value that most rows have, of a column that is nearly one level, or of two. */
function baseOf(values: Float64Array): { base: number } | undefined {
  const { few, commonest } = levelsOf(values);
  if (few?.length === 2) return { base: few[0]! };
  return commonest === undefined || few?.length === 1 ? undefined : { base: commonest };
}

/** A product of two columns that are mostly one value tells of those rows where neither is. */
function whyNotJoint(
  groups: GroupValues[],
  kinds: ({ base: number } | undefined)[],
  rules: Rules,
): Rule | undefined {
  for (const [i, one] of groups.entries()) {
    if (!kinds[i]) continue;
    for (const [j, other] of groups.entries()) {
      if (j === i || (j < i && kinds[j])) continue;
      const why = kinds[j]
        ? whyNotTable(one, other, [kinds[i].base, kinds[j].base], rules)
        : whyNotWithin(one, other, kinds[i].base, rules);
      if (why) return why;
    }
  }
}

/** Of the four groups that two columns make, none may be small. */
function whyNotTable(
  one: GroupValues,
  other: GroupValues,
  [a, b]: [number, number],
  rules: Rules,
): Rule | undefined {
  const found = [0, 1, 2, 3].map(() => new Set<number>());
  for (const [row, value] of one.values.entries()) {
    const which = (value === a ? 0 : 2) + (other.values[row] === b ? 0 : 1);
    found[which]!.add(one.persons?.[row] ?? row);
  }
  return found.some(({ size }) => size > 0 && size < rules.minCell) ? "min_cell" : undefined;
}

/** The product of a level and numbers is these numbers' sum in it. */
function whyNotWithin(
  level: GroupValues,
  numbers: GroupValues,
  base: number,
  rules: Rules,
): Rule | undefined {
  for (const isBase of [true, false]) {
    const keep = (_: number, row: number) => (level.values[row] === base) === isBase;
    const why = whyNotTotal({
      values: numbers.values.filter(keep),
      persons: numbers.persons?.filter(keep),
    }, rules);
    if (why) return why;
  }
}

/** Whether these products, with all that was told before, give a small group away. */
function whyNotBeside(
  session: Session,
  { cells, names, columns, kinds, several }: {
    cells: Cells;
    names: string[];
    columns: Float64Array[];
    kinds: ({ base: number } | undefined)[];
    /** Of columns of few values, but more than two, each row's. */
    several: ({ of: Int32Array; size: number } | undefined)[];
  },
): Rule | undefined {
  const forgets: (() => void)[] = [];
  const levels = [...kinds.entries()].filter(([, kind]) => kind).map(([i]) => i);
  const isOff = (i: number, row: number) => columns[i]![row] !== kinds[i]!.base ? 1 : 0;

  function mayTell(
    parts: { of: (row: number) => number; count: number },
    told: number[][],
    sums: number[],
  ): boolean {
    const of = cells.of.map((cell, row) => cell < 0 ? cell : parts.of(row));
    const rows = new Int32Array(parts.count);
    for (const cell of of) if (cell >= 0) rows[cell]!++;
    const measures = [
      ...countMeasures({ ...cells, of, rows }, names),
      ...sums.map((i) => ({ name: `sums of ${names[i]}`, cells: of, values: columns[i]! })),
    ];
    const telling = beginTelling(session, measures);
    forgets.push(telling.forget);
    return told.every((cells) => telling.tell(cells)) && !whyNotDerived(session, telling);
  }

  const each = [...names.keys()];
  const others = (i: number) => each.filter((j) => j !== i);
  // At several coefficients, the products of a column of few values give the sums of each of these.
  const ok = mayTell({ of: () => 0, count: 1 }, [[0]], each) &&
    levels.every((i) => mayTell({ of: (row) => isOff(i, row), count: 2 }, [[1]], others(i))) &&
    several.every((kind, i) =>
      !kind || mayTell(
        { of: (row) => kind.of[row]!, count: kind.size },
        Array.from({ length: kind.size }, (_, place) => [place]),
        others(i),
      )
    ) &&
    levels.every((i, at) =>
      levels.slice(at + 1).every((j) =>
        mayTell({ of: (row) => 2 * isOff(i, row) + isOff(j, row), count: 4 }, [[3]], [])
      )
    );
  if (ok) return undefined;
  for (const forget of forgets.reverse()) forget();
  return "difference";
}

/** Where counts are rounded, those of as many rows as are said. */
function weightedComoments(columns: Float64Array[], weights: Float64Array, rules: Rules) {
  const n = weights.length;
  const said = rounded(n, rules);
  const [first] = weights;
  if (weights.every((one) => one === first)) {
    const { means, products } = roundedComoments(columns, rules);
    const weighted = products.map((row) => row.map((product) => product * first!));
    return { means, products: weighted, weight: said * first! };
  }
  const weight = weights.reduce((sum, one) => sum + one, 0);
  const means = columns.map((values) =>
    values.reduce((sum, value, row) => sum + weights[row]! * value, 0) / weight
  );
  const products = columns.map((one, i) =>
    columns.map((other, j) =>
      one.reduce(
        (sum, value, row) => sum + weights[row]! * (value - means[i]!) * (other[row]! - means[j]!),
        0,
      ) * said / n
    )
  );
  return { means, products, weight: weight * said / n };
}

/**
 * Where counts are rounded, the products are those of as many rows as are said; and those of two
 * columns of two values each, which are counts themselves, are made of rounded ones.
 */
function roundedComoments(columns: Float64Array[], rules: Rules) {
  const { n, means, products } = comomentsOf(columns);
  if (rules.roundTo <= 1) return { means, products };
  const said = rounded(n, rules);
  const pairs = columns.map((values) => {
    const { few } = levelsOf(values);
    return few?.length === 2 ? few as [number, number] : undefined;
  });
  const count = (isIn: (row: number) => boolean) => {
    let found = 0;
    for (let row = 0; row < n; row++) if (isIn(row)) found++;
    return rounded(found, rules);
  };
  const highs = pairs.map((pair, i) => pair && count((row) => columns[i]![row] === pair[1]));
  return {
    means: means.map((mean, i) => {
      const pair = pairs[i];
      return pair ? pair[0] + (pair[1] - pair[0]) * highs[i]! / said : mean;
    }),
    products: products.map((row, i) =>
      row.map((product, j) => {
        const [one, other] = [pairs[i], pairs[j]];
        if (!one || !other) return product * said / n;
        const both = i === j
          ? highs[i]!
          : count((row) => columns[i]![row] === one[1] && columns[j]![row] === other[1]);
        return (both - highs[i]! * highs[j]! / said) * (one[1] - one[0]) * (other[1] - other[0]);
      })
    ),
  };
}
