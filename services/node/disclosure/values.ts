/**
 * Values that are no counts: each leaves when the counts that it rests on allow it, and what its
 * kind asks for beside that is so.
 * @module
 */
import type { DisclosureRules } from "../algorithms/api.ts";
import { whyNotShares } from "../algorithms/sextant/shares.ts";
import type { Behind, Counts } from "./counts.ts";
import {
  countValues,
  type Holder,
  isHolder,
  isNothing,
  isObject,
  type Place,
  placesIn,
  put,
  takeOut,
  valueAt,
} from "./places.ts";
import type { Part } from "./read_parts.ts";

type Steps = readonly (string | number)[];

export interface ValueJudge {
  counts: Counts;
  rules: DisclosureRules;
  /** The arguments of the method, among which probabilities may be. */
  args: Readonly<Record<string, unknown>>;
  /** Told of what was taken out. */
  withhold: (part: Part, rule: string, values: number) => void;
  ofLevel: LevelCounts;
}

/** Takes out of the part what may not leave. */
export function judgeValues(part: Part, judge: ValueJudge): void {
  judgeAt(part.place, part, [], judge);
}

function judgeAt(place: Place, part: Part, steps: Steps, judge: ValueJudge): void {
  const value = valueAt(place);
  if (value === null || value === undefined) return;
  const { counts, rules, withhold } = judge;
  const names = [part.output.restsOn ?? []].flat();
  const shape = Array.isArray(value) ? "list" : isHolder(value) ? "record" : undefined;
  if (shape && names.some((name) => counts.hasPlaces(name, part, steps) === shape)) {
    for (const inner of placesIn(value)) judgeAt(inner, part, [...steps, inner.key], judge);
    return;
  }
  const behind = behindOf(place, part, steps, judge);
  const rule = behind ? ruleAgainst(value, behind, { part, steps, judge }) : "rests_on";
  if (rule !== undefined) {
    withhold(part, rule, countValues(value));
    if (part.output.kind === "levels") withholdNone(place.holder, counts, rule);
    const isNamedByLevel = steps.length > 0 && part.output.keys !== "setting";
    const most = Math.max(0, ...(behind ?? []).map(({ persons }) => persons));
    if (isNamedByLevel && most < rules.minLevel) takeOut(place);
    else put(place, null);
  } else if (part.output.kind === "quantiles") judgeQuantiles(place, part, behind!, judge);
}

/** That none of those who have a level are in a cell says of all of them that they are not. */
function withholdNone(cell: Holder, counts: Counts, rule: string): void {
  for (const place of placesIn(cell)) {
    const count = counts.at(place);
    if (count?.value === 0) count.withheld ??= rule;
  }
}

/** All that it rests on; `undefined` where one of these is not to be found. */
function behindOf(
  place: Place,
  part: Part,
  steps: Steps,
  { counts, ofLevel }: ValueJudge,
): Behind[] | undefined {
  if (part.output.kind === "levels" && part.list) return ofLevel(place, part);
  const names = [part.output.restsOn ?? []].flat();
  const found = names.map((name) => counts.behind(name, part, steps));
  return names.length === 0 || found.includes(undefined) ? undefined : found.flatMap((one) => one!);
}

/** The counts of all cells that have the level at a place; `undefined` where none is counted. */
export type LevelCounts = (place: Place, part: Part) => Behind[] | undefined;

/**
 * Reads the levels of each list of cells once, before any is taken out: of those that are left, the
 * last ones of a level would be of fewer, or of nobody.
 */
export function createLevelCounts(
  { counts, rules }: Pick<ValueJudge, "counts" | "rules">,
): LevelCounts {
  const read = new Map<readonly unknown[], Map<string | number, Map<unknown, Behind>>>();

  function levelsAt(key: string | number, part: Part): Map<unknown, Behind> {
    const names = [part.output.restsOn ?? []].flat();
    const found = new Map<unknown, Behind>();
    for (const cell of part.list!.items) {
      if (!isObject(cell)) continue;
      const level = valueAt({ holder: cell, key });
      for (const name of names) {
        const count = counts.at({ holder: cell, key: name }) ?? evidenceOf(cell, name, part);
        if (!count) continue;
        const before = found.get(level) ?? { persons: 0, isOfPersons: true, withheld: undefined };
        // A person may be in several cells.
        const persons = rules.persons === null
          ? before.persons + count.persons
          : Math.max(before.persons, count.persons);
        const isOfPersons = before.isOfPersons && count.isOfPersons;
        found.set(level, count.value === 0 ? before : { ...before, persons, isOfPersons });
      }
    }
    return found;
  }

  return ({ key, holder }, part) => {
    const ofList = read.get(part.list!.items) ?? new Map<string | number, Map<unknown, Behind>>();
    read.set(part.list!.items, ofList);
    const levels = ofList.get(key) ?? levelsAt(key, part);
    ofList.set(key, levels);
    const found = levels.get(valueAt({ key, holder }));
    return found && [found];
  };
}

/** Persons of a cell that says them beside its count, which may be withheld already. */
function evidenceOf(
  cell: Record<string, unknown>,
  name: string,
  { scopes }: Part,
): Pick<Behind, "persons" | "isOfPersons"> & { value: number } | undefined {
  const output = scopes[0]?.outputs.find((one) => one.name === name);
  const value = valueAt({ holder: cell, key: name });
  if (output?.kind !== "persons" || !Number.isSafeInteger(value)) return undefined;
  return { persons: value as number, value: value as number, isOfPersons: true };
}

function ruleAgainst(
  value: unknown,
  behind: readonly Behind[],
  { part, steps, judge }: { part: Part; steps: Steps; judge: ValueJudge },
): string | undefined {
  const { rules } = judge;
  const { kind } = part.output;
  const persons = Math.min(...behind.map((one) => one.persons));
  if (kind === "levels" && persons === 0) return undefined;
  if (isNothing(value)) return persons === 0 ? undefined : common(persons, behind, part, rules);
  const rule = common(persons, behind, part, rules);
  if (rule !== undefined) return rule;
  if (kind === "moments") return ruleAgainstSums(part, steps, judge);
  // A value for each person is of each person: residuals, predictions, ranks.
  const isPerPerson = PER_ANYTHING.includes(kind) && longest(value) >= persons;
  if (isPerPerson) return "max_terms_share";
  return kind === "model" ? ruleAgainstModel(value, persons, part, judge) : undefined;
}

const PER_ANYTHING: readonly Part["output"]["kind"][] = ["model", "curve", "estimate"];

/** How many elements the longest list or record in it has. */
function longest(value: unknown): number {
  const places = placesIn(value);
  return Math.max(places.length, ...places.map((place) => longest(valueAt(place))));
}

/** What holds for every kind. */
function common(
  persons: number,
  behind: readonly Behind[],
  { output: { kind } }: Part,
  { minSubset, minLevel }: DisclosureRules,
): string | undefined {
  if (!behind.some((one) => one.isOfPersons)) return "persons";
  // A name tells that there are some, not how many: it may leave where its count does not.
  if (kind === "levels") return persons < minLevel ? "min_level" : undefined;
  const withheld = behind.find((one) => one.withheld !== undefined)?.withheld;
  if (withheld !== undefined) return withheld;
  if (persons < minSubset) return "min_subset";
  return kind === "model" && persons < minLevel ? "min_level" : undefined;
}

function ruleAgainstModel(
  value: unknown,
  persons: number,
  part: Part,
  { rules: { maxTermsShare, minResidualFreedom } }: ValueJudge,
): string | undefined {
  const terms = termsOf(value, part);
  if (terms === undefined) return "rests_on";
  // What is exactly the share may not fail by the last digit of a product.
  if (terms > maxTermsShare * persons * (1 + 1e-12)) return "max_terms_share";
  return persons - terms < minResidualFreedom ? "min_residual_freedom" : undefined;
}

function termsOf(value: unknown, { output: { terms }, scopes }: Part): number | undefined {
  if (terms === undefined) return Math.max(1, longest(value));
  const scope = scopes.find(({ object }) => Object.hasOwn(object, terms));
  const found = scope?.object[terms];
  if (Number.isSafeInteger(found)) return found as number;
  return isHolder(found) ? placesIn(found).length : undefined;
}

/** Whether too few persons make up a sum. */
function ruleAgainstSums(
  { output: { contributions }, scopes }: Part,
  steps: Steps,
  { rules: { dominance, pRatio } }: ValueJudge,
): string | undefined {
  if (!dominance && pRatio === null) return undefined;
  if (contributions === undefined) return "dominance";
  let shown: unknown = scopes.find(({ object }) => Object.hasOwn(object, contributions))
    ?.object[contributions];
  for (const key of steps) {
    if (isObject(shown) && Array.isArray(shown.largest)) break;
    shown = isHolder(shown) ? valueAt({ holder: shown, key }) : undefined;
  }
  return ruleAgainstContributions(shown, { dominance, pRatio });
}

function ruleAgainstContributions(
  shown: unknown,
  { dominance, pRatio }: Pick<DisclosureRules, "dominance" | "pRatio">,
): string | undefined {
  // Of each of several sums, none may be made up by few.
  if (isHolder(shown) && !(isObject(shown) && Array.isArray(shown.largest))) {
    const rules = placesIn(shown).map((place) =>
      ruleAgainstContributions(valueAt(place), { dominance, pRatio })
    );
    return rules.length === 0 ? "dominance" : rules.find((rule) => rule !== undefined);
  }
  const { total, largest } = (shown ?? {}) as { total?: unknown; largest?: unknown };
  const isShown = typeof total === "number" && Array.isArray(largest) &&
    largest.every((one) => typeof one === "number" && one >= 0);
  if (!isShown) return "dominance";
  return whyNotShares({ dominance, pRatio }, { total, largest: largest as number[] });
}

/** Quantiles have persons beyond them, and between them. */
function judgeQuantiles(place: Place, part: Part, behind: readonly Behind[], judge: ValueJudge) {
  const { rules: { minCell, extremes }, withhold } = judge;
  const persons = Math.min(...behind.map((one) => one.persons));
  const value = valueAt(place);
  const each = isHolder(value) ? placesIn(value) : [place];
  const at = probabilitiesOf(value, part, judge);
  // Names that are no probabilities are taken out with what they name.
  if (isObject(value) && at?.some((one) => one === undefined || !(one >= 0 && one <= 1))) {
    withhold(part, "rests_on", countValues(value));
    return put(place, null);
  }
  let before: number | undefined;
  const inOrder = each.map((one, index) => ({ one, probability: at?.[index] }))
    .toSorted((a, b) => (a.probability ?? 0) - (b.probability ?? 0));
  for (const { one, probability } of inOrder) {
    if (valueAt(one) === null) continue;
    const rule = ruleAgainstQuantile(probability);
    if (rule === undefined) before = probability;
    else {
      withhold(part, rule, countValues(valueAt(one)));
      put(one, null);
    }
  }

  function ruleAgainstQuantile(probability: number | undefined): string | undefined {
    if (probability === undefined || !(probability >= 0 && probability <= 1)) return "rests_on";
    const enough = (share: number) => share * persons * (1 + 1e-12) >= minCell;
    if (!extremes && !enough(Math.min(probability, 1 - probability))) return "extremes";
    return before === undefined || enough(probability - before) ? undefined : "min_cell";
  }
}

function probabilitiesOf(
  value: unknown,
  { output: { at }, scopes }: Part,
  { args }: ValueJudge,
): (number | undefined)[] | undefined {
  if (at === undefined) return isObject(value) ? Object.keys(value).map(numberOf) : undefined;
  const scope = scopes.find(({ object }) => Object.hasOwn(object, at));
  const found = scope ? scope.object[at] : args[at];
  return (Array.isArray(found) ? found : [found]).map((one) =>
    typeof one === "number" ? one : undefined
  );
}

function numberOf(key: string): number | undefined {
  const number = Number(key);
  return key.trim() === "" || Number.isNaN(number) ? undefined : number;
}
