/**
 * Values of several columns for each of a few: the centres of clusters, the loadings of components.
 * @module
 */
import type { Drawn } from "./forests.ts";
import type { Profile } from "./pieces.ts";
import { isPlain, isRecord, isRecords, numberOf, tableOf, type Values } from "./values.ts";

/** More are not told apart. */
const MOST_SERIES = 12;
const MOST_COLUMNS = 40;

/** Principal components: `{variance, share, loadings: {column: number}}` by falling variance. */
export function readComponents(value: unknown): Drawn[] | undefined {
  const isOne = (one: Values) =>
    numberOf(one.variance) !== null && numberOf(one.share) !== null && isNumbers(one.loadings);
  if (!isRecords(value) || !value.every(isOne)) return undefined;
  const named = value.map((one, index) => ({ name: `PC${index + 1}`, ...one }) as Values);
  const series = named.map(({ name, loadings }) => ({
    name: name as string,
    of: loadings as Values,
  }));
  const columns = columnsOf(series.map(({ of }) => of));
  return [
    {
      part: "share of the variance",
      table: tableOf(named.map(({ loadings: _, name, ...one }) => ({ component: name, ...one }))),
      picture: named.length > MOST_COLUMNS ? undefined : {
        is: "bars",
        areShares: true,
        bars: named.map(({ name, share }) => ({ name: String(name), value: numberOf(share) })),
      },
    },
    {
      part: "loadings",
      table: tableOf(columns.map((column) => ({
        column,
        ...Object.fromEntries(series.map(({ name, of }) => [name, of[column]])),
      }))),
      picture: profileOf(series.slice(0, 3), columns, "one"),
    },
  ];
}

/** Centres of clusters: by cluster a value of each column. */
export function readCentres(value: unknown): Drawn | undefined {
  if (!isRecords(value) || !value.every(isNumbers)) return undefined;
  const series = value.map((of, index) => ({ name: `cluster ${index + 1}`, of }));
  return {
    table: tableOf(series.map(({ name, of }) => ({ cluster: name, ...of }))),
    picture: profileOf(series, columnsOf(value), "each"),
  };
}

function profileOf(
  series: { name: string; of: Values }[],
  columns: string[],
  scale: Profile["scale"],
): Profile | undefined {
  const isDrawn = columns.length <= MOST_COLUMNS && series.length <= MOST_SERIES &&
    (scale === "one" || series.length > 1);
  if (!isDrawn) return undefined;
  return {
    is: "profile",
    scale,
    columns,
    series: series.map(({ name, of }) => ({
      name,
      values: columns.map((column) => numberOf(of[column])),
    })),
  };
}

function columnsOf(records: readonly Values[]): string[] {
  return [...new Set(records.flatMap((one) => Object.keys(one)))];
}

/** A record of numbers, or null where one is withheld. */
function isNumbers(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const values = Object.values(value);
  return values.length > 0 && values.some((one) => numberOf(one) !== null) &&
    values.every((one) => isPlain(one) && (one === null || numberOf(one) !== null));
}
