/**
 * Complementary suppression: counts that add up to what is known do not leave all but one, since
 * that one would follow by subtraction.
 *
 * Primary and complementary suppression are not told apart in what the researcher reads: which
 * counts are the small ones would follow from that.
 * @module
 */
import type { DisclosureRules } from "../algorithms/api.ts";
import type { Output } from "../algorithms/sextant/description.ts";
import type { Count, Counts } from "./counts.ts";
import { type Holder, isHolder, valueAt } from "./places.ts";
import type { Part } from "./read_parts.ts";

/** Counts that add up, and their sum where it is in the result, too. */
interface Line {
  counts: Count[];
  total?: Count;
}

/** Withholds what would give back a count that is withheld, and levels of two that are too few. */
export function complement(
  counts: Counts,
  parts: readonly Part[],
  { minCell, minLevel }: DisclosureRules,
): void {
  const lists = listsOf(counts.all);
  const lines = [
    ...linesOfHolders(counts.all),
    ...linesOfCells(lists, parts),
    ...linesOfTotals(counts),
  ];
  for (const { counts } of lines) {
    // A variable of two levels: both are known when one is.
    const isTwo = counts.length === 2 && counts[0]!.part.path === counts[1]!.part.path;
    const hasFew = counts.some(({ value, persons, withheld }) =>
      value > 0 && persons < minLevel && withheld === undefined
    );
    if (!isTwo || !hasFew) continue;
    for (const count of counts) count.withheld ??= "min_level";
  }
  // One that goes may leave another line with one that is missing.
  while (lines.map((line) => closeLine(line, minCell)).some(Boolean));
}

/** Whether something had to go. */
function closeLine({ counts, total }: Line, minCell: number): boolean {
  const some = counts.filter(({ value }) => value > 0);
  const withheld = some.filter((count) => count.withheld !== undefined);
  if (withheld.length === 0) return false;
  let persons = withheld.reduce((sum, count) => sum + count.persons, 0);
  let missing = withheld.length;
  // As many persons as counts would be one for each.
  const isOpen = () => persons < minCell || persons <= missing || missing < 2;
  if (!isOpen()) return false;
  const paths = new Set(withheld.map(({ part }) => part.path));
  const candidates = some
    .filter((count) => count.withheld === undefined && paths.has(count.part.path))
    .sort((one, other) => one.persons - other.persons);
  // Parts of a sum that nobody knows give nothing back.
  if (total && total.withheld !== undefined) return false;
  for (const count of candidates) {
    if (!isOpen()) break;
    count.withheld = "min_cell";
    persons += count.persons;
    missing++;
  }
  if (!total || !isOpen()) return candidates.length > 0;
  total.withheld = "min_cell";
  return true;
}

/** Lists, records and matrices of counts; in a matrix lines go both ways. */
function linesOfHolders(all: readonly Count[]): Line[] {
  const bare = all.filter(({ steps }) => steps.length > 0);
  const along = Map.groupBy(bare, ({ place }) => place.holder);
  const lines: Line[] = [...along.values()].map((counts) => ({ counts }));
  for (const ofPart of Map.groupBy(bare, ({ part }) => part).values()) {
    const across = Map.groupBy(
      ofPart.filter(({ steps }) => steps.length > 1),
      ({ steps }) => JSON.stringify([steps.slice(0, -2), steps.at(-1)]),
    );
    lines.push(...[...across.values()].map((counts) => ({ counts })));
  }
  return lines;
}

type Cells = Map<readonly unknown[], Count[]>;

/** The counts in the cells of each list that is a table. */
function listsOf(all: readonly Count[]): Cells {
  const lists: Cells = new Map();
  for (const count of all) {
    const { list } = count.part;
    if (!list?.isTable || count.steps.length > 0) continue;
    const known = lists.get(list.items);
    if (known) known.push(count);
    else lists.set(list.items, [count]);
  }
  return lists;
}

/** All cells of a table, and those that differ by one label alone. */
function linesOfCells(lists: Cells, parts: readonly Part[]): Line[] {
  const labels = labelsOf(parts);
  const lines: Line[] = [];
  for (const cells of lists.values()) {
    for (const ofOutput of Map.groupBy(cells, ({ part }) => part.output).values()) {
      lines.push({ counts: ofOutput });
      const [first] = ofOutput;
      const names = [...labels.get(first!.place.holder)?.keys() ?? []];
      for (const name of names.length > 1 ? names : []) {
        const along = Map.groupBy(ofOutput, ({ place }) => {
          const own = labels.get(place.holder);
          return JSON.stringify(names.filter((other) => other !== name).map((n) => own?.get(n)));
        });
        lines.push(...[...along.values()].map((counts) => ({ counts })));
      }
    }
  }
  return lines;
}

const LABELS: readonly Output["kind"][] = ["levels", "setting"];

/** What tells cells apart, by the object that a cell is. */
function labelsOf(parts: readonly Part[]): Map<Holder, Map<string | number, unknown>> {
  const labels = new Map<Holder, Map<string | number, unknown>>();
  for (const { output, place, list } of parts) {
    if (!list?.isTable || !LABELS.includes(output.kind)) continue;
    const value = valueAt(place);
    if (isHolder(value)) continue;
    const own = labels.get(place.holder) ?? new Map();
    labels.set(place.holder, own.set(place.key, value));
  }
  return labels;
}

/** Counts that say what they are a part of. */
function linesOfTotals({ all, at }: Counts): Line[] {
  const byTotal = new Map<Count, Count[]>();
  for (const count of all) {
    const { partOf } = count.part.output;
    const scope = partOf === undefined
      ? undefined
      // Its own name may be that of the sum further out.
      : count.part.scopes.find(({ object }) =>
        Object.hasOwn(object, partOf) && at({ holder: object, key: partOf }) !== count &&
        at({ holder: object, key: partOf }) !== undefined
      );
    if (!scope) continue;
    const total = at({ holder: scope.object, key: partOf! })!;
    const known = byTotal.get(total);
    if (known) known.push(count);
    else byTotal.set(total, [count]);
  }
  return [...byTotal].map(([total, counts]) => ({ counts, total }));
}
