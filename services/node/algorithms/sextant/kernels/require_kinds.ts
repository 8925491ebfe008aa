/**
 * What a site's rules ask of a model's columns, of which its sums are products.
 * @module
 */
import { PartWithheld, personsUpTo, type SiteRules, useWithin, within } from "../disclosure.ts";
import { useWithoutCommon } from "../few_values.ts";
import { selectionsOfBits } from "../selection.ts";
import { isOff, type Kind, kindOf, lineOf, type Off, rowsOfTable } from "./column_kinds.ts";

/**
 * Refuses columns of which each product is told where it would show few persons: who has one of few
 * values, or one of two in each of two columns, or in whom two columns differ. Which rows have
 * which value is said to the site's ledger: the sums are those of these rows, too, and whoever
 * chooses them in another run, but for one, would learn of that one.
 */
export function requireKinds(site: SiteRules, columns: readonly Float64Array[]): void {
  const { minLevel } = site.rules;
  const kinds = columns.map((values) => kindOf(values, minLevel));
  for (const [i, kind] of kinds.entries()) {
    if (kind?.off) requireTwo(site, columns[i]!.length, kind, kind.off);
    else if (kind && kind.size > 1) requirePlaces(site, kind);
    else if (!kind) useWithoutCommon(within(site), wholeOf(columns[i]!), () => true);
  }
  for (const [i, one] of columns.entries()) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [kinds[i]?.off, kinds[j]?.off];
      if (a && b) requireTable(site, one.length, [a, b]);
      if (kinds[i]?.isFew || kinds[j]?.isFew) continue;
      const line = lineOf([one, columns[j]!], [kinds[i], kinds[j]], minLevel);
      if (line && line.off > 0) requirePlaces(site, { places: line.places, size: 2 });
    }
  }
}

function wholeOf(numbers: Float64Array) {
  return { numbers, sets: new Int32Array(numbers.length), size: 1 };
}

/** Each value is of nobody, or of enough persons. */
function requirePlaces(site: SiteRules, { places, size }: Pick<Kind, "places" | "size">): void {
  const { minLevel } = site.rules;
  const few = personsUpTo(minLevel, site, places, size)
    .some((persons) => persons > 0 && persons < minLevel);
  if (few) throw new PartWithheld("min_level");
  useWithin(site, places, size);
}

/** Rows that are looked at before all are. */
const LOOKED_AT = 1024;

/** The same of two values, which nearly always enough persons have among the first rows. */
function requireTwo(site: SiteRules, n: number, kind: Kind, off: Off): void {
  const enough = Math.max(site.rules.minLevel, site.rules.minSubset);
  const first = Int32Array.from({ length: Math.min(n, LOOKED_AT) }, (_, row) => isOff(off, row));
  const isPlain = personsUpTo(enough, site, first, 2).every((persons) => persons === enough);
  if (!isPlain || site.places) return requirePlaces(site, kind);
  site.use(selectionsOfBits(off.bits, n), "within");
}

/** Of the four groups that two columns make, none may be small. */
function requireTable({ rules, persons }: SiteRules, n: number, [one, other]: [Off, Off]): void {
  const counts = rowsOfTable(n, one, other);
  for (const [group, rows] of counts.entries()) {
    if (rows === 0) continue;
    if (rows < rules.minCell || !isOfEnough(group)) throw new PartWithheld("min_cell");
  }

  function isOfEnough(group: number): boolean {
    if (!persons) return true;
    const found: number[] = [];
    for (let row = 0; row < n && found.length < rules.minCell; row++) {
      if (2 * isOff(one, row) + isOff(other, row) !== group) continue;
      if (!found.includes(persons[row]!)) found.push(persons[row]!);
    }
    return found.length >= rules.minCell;
  }
}
