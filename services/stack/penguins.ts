/**
 * The data of the demo: the 344 Palmer penguins, which nature has spread over three islands.
 * @module
 */
import penguins from "vega-datasets/data/penguins.json" with { type: "json" };

export const ISLANDS = ["Biscoe", "Dream", "Torgersen"] as const;
export type Island = typeof ISLANDS[number];

export const BODY_MASS = "Body Mass (g)";
export const FLIPPER_LENGTH = "Flipper Length (mm)";

type Penguin = Record<string, string | number | null>;
const rows = penguins as Penguin[];
const columns = Object.keys(rows[0]!);

function cell(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The penguins of one island as CSV, missing measurements as empty cells. */
export function csvOf(island: Island): string {
  const own = rows.filter((row) => row.Island === island);
  return [columns, ...own.map((row) => columns.map((column) => row[column]))]
    .map((line) => line.map(cell).join(",") + "\n").join("");
}

/** How many penguins live on an island. */
export function populationOf(island: Island): number {
  return rows.filter((row) => row.Island === island).length;
}

export interface Pooled {
  average: number;
  intercept: number;
  slope: number;
}

/**
 * What one would compute if all rows could lie in one place, by the textbook and not by the
 * algorithms' way.
 */
export function pooled(): Pooled {
  const masses = rows.map((row) => row[BODY_MASS]).filter((value) => typeof value === "number");
  const pairs = rows.map((row) => [row[FLIPPER_LENGTH], row[BODY_MASS]])
    .filter((pair): pair is [number, number] => pair.every((value) => typeof value === "number"));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(pairs.map(([flipper]) => flipper));
  const y = mean(pairs.map(([, mass]) => mass));
  const sumOf = (term: (flipper: number, mass: number) => number) =>
    pairs.reduce((sum, [flipper, mass]) => sum + term(flipper, mass), 0);
  const slope = sumOf((flipper, mass) => (flipper - x) * (mass - y)) /
    sumOf((flipper) => (flipper - x) ** 2);
  return { average: mean(masses), intercept: y - slope * x, slope };
}
