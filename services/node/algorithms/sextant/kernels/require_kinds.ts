/**
 * What a site's rules ask of a model's columns, of which its sums are products.
 * @module
 */
import { PartWithheld, personsByPlace, type SiteRules, useWithin } from "../disclosure.ts";
import { type Kind, kindOf, lineOf, type Off, offOf, rowsOfTable } from "./column_kinds.ts";

/**
 * Refuses columns of which each product is told where it would show few persons: who has one of few
 * values, or one of two in each of two columns, or in whom two columns differ. Which rows have which
 * value is said to the site's ledger: the sums are those of these rows, too, and whoever chooses them
 * in another run, but for one, would learn of that one.
 */
export function requireKinds(site: SiteRules, columns: readonly Float64Array[]): void {
  const { minLevel } = site.rules;
  const kinds = columns.map((values) => kindOf(values, minLevel));
  for (const kind of kinds) {
    if (!kind || kind.size < 2) continue;
    requirePlaces(site, kind);
    useWithin(site, kind.places, kind.size);
  }
  const offs = kinds.map((kind) => kind && offOf(kind));
  for (const [i, one] of columns.entries()) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [offs[i], offs[j]];
      if (a && b) requireTable(site, one.length, [a, b]);
      if (kinds[i]?.isFew || kinds[j]?.isFew) continue;
      const line = lineOf([one, columns[j]!], [kinds[i], kinds[j]], minLevel);
      if (!line || line.off === 0) continue;
      requirePlaces(site, { places: line.places, size: 2 });
      useWithin(site, line.places, 2);
    }
  }
}

/** Each value is of nobody, or of enough persons. */
function requirePlaces(site: SiteRules, { places, size }: Pick<Kind, "places" | "size">): void {
  const few = personsByPlace(site, places, size)
    .some((persons) => persons > 0 && persons < site.rules.minLevel);
  if (few) throw new PartWithheld("min_level");
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
    const bitOf = ({ bits }: Off, row: number) => bits[row >> 5]! >>> (row & 31) & 1;
    for (let row = 0; row < n && found.length < rules.minCell; row++) {
      if (2 * bitOf(one, row) + bitOf(other, row) !== group) continue;
      if (!found.includes(persons[row]!)) found.push(persons[row]!);
    }
    return found.length >= rules.minCell;
  }
}
