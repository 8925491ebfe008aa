/**
 * The library at sites with rules on what may leave, for tests: whatever leaves a site is checked
 * as a node checks it, and must be declared.
 * @module
 */
import assert from "node:assert/strict";
import { type Profile, PROFILES } from "../../services/node/disclosure/rules.ts";
import { type Algorithm, createFederation } from "./federation.ts";

const PACKAGES = new URL("../../services/node/algorithms/packages/", import.meta.url);

export interface Asked {
  name: string;
  method?: string;
  kwargs: Record<string, unknown>;
  files: string[];
  profile?: Profile | "none";
  persons?: string;
}

// deno-lint-ignore no-explicit-any -- each algorithm has a result of its own
export type Result = any;

/** Runs an algorithm of the library at sites that are files, and checks what leaves each. */
export async function run(
  { name, method = "central", kwargs, files, profile = "datashield", persons }: Asked,
): Promise<{ result: Result; parts: { method: string; part: Result }[] }> {
  const parts: { method: string; part: Result }[] = [];
  const rules = profile === "none"
    ? null
    : { profile, persons: persons ?? null, ...PROFILES[profile] };
  const federation = await createFederation(files, {}, rules, (method, { result, withheld }) => {
    parts.push({ method, part: structuredClone(result) });
    const undeclared = withheld.filter(({ rule }) => rule === "other" || rule === "rests_on");
    assert.deepEqual(undeclared, [], `${name} ${method}`);
  });
  const algorithm: Algorithm = await import(new URL(`${name}/algorithm.ts`, PACKAGES).href);
  const result = await federation.run(algorithm, method, kwargs);
  // Evidence is for the site alone.
  const left = JSON.stringify(parts);
  assert.doesNotMatch(left, /"(selections|\w*[pP]ersons|contributions)":/);
  return { result, parts };
}

/** Rows of a file, from what each column is in the row. */
export function fileOf(
  rows: number,
  columns: Record<string, (row: number) => string | number>,
): string {
  const names = Object.keys(columns);
  const lines = Array.from(
    { length: rows },
    (_, row) => names.map((name) => columns[name]!(row)).join(),
  );
  return [names.join(), ...lines, ""].join("\n");
}

/** A number that looks like chance, the same each time. */
export const noise = (row: number) =>
  Math.round(((row * 7919 + 104729) % 1000) + 100 * Math.sin(row)) / 10;

/** A result without what tells of its making. */
export function numbersOf(
  { withheld: _w, notes: _n, sites: _s, left_out: _l, ...numbers }: Result,
) {
  return numbers;
}

/** What a result says was withheld: `organization rule`. */
export const saidBy = (
  { withheld }: Result,
): string[] => [...new Set((withheld as Result[]).map((one) => `${one.organization} ${one.rule}`))];

export const GROUPS = ["a", "b"];
/** A site with enough of everybody, and two that have it in part. */
export const large = (rows = 60, at = 0) =>
  fileOf(rows, {
    x: (row) => noise(row + at),
    y: (row) => noise(row * 3 + at) + noise(row + at),
    g: (row) => GROUPS[row % 2]!,
    h: (row) => ["p", "q", "r"][Math.floor(row / 2) % 3]!,
    t: (row) => 1 + (row * 17 + at) % 90,
    e: (row) => (row * 7 + at) % 5 < 2 ? 0 : 1,
  });
/** Two rows of a level that the others have, too. */
export const withFewOf = (level: string, rows = 60) =>
  large(rows, 7) + `3.5,9,${level},p,10,1\n4.5,8,${level},q,20,1\n`;
export const TWO = "x,y,g,h,t,e\n1,2,a,p,5,1\n3,5,b,q,6,0\n";
