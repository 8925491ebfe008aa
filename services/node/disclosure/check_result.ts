/**
 * A result of a method that declares its outputs, as the rules of the site let it leave.
 * @module
 */
import type { DisclosureRules } from "../algorithms/api.ts";
import type { Output } from "../algorithms/sextant/description.ts";
import { complement } from "./complement.ts";
import { finishCount, readCounts } from "./counts.ts";
import type { Withheld } from "./decision.ts";
import { countValues, isHolder, type Place, placesIn, put, takeOut, valueAt } from "./places.ts";
import { type Part, readParts } from "./read_parts.ts";
import { createLevelCounts, judgeValues } from "./values.ts";

export interface CheckOptions {
  outputs: readonly Output[];
  rules: DisclosureRules;
  /** The arguments of the method by name. */
  args?: Readonly<Record<string, unknown>>;
  /** Whether what is not declared leaves: the owner trusts the algorithm. */
  trusted?: boolean;
}

export interface Checked {
  /** The same object, in which null stands for what is withheld. */
  result: Record<string, unknown>;
  withheld: Withheld[];
  /** Values in the result, before and after. */
  before: number;
  after: number;
}

/**
 * Takes out of `result` what the rules do not let leave, and what is there as evidence only. Where
 * something was withheld, the result says so in `withheld`.
 */
export function checkResult(
  result: Record<string, unknown>,
  { outputs, rules, args = {}, trusted = false }: CheckOptions,
): Checked {
  const found = readParts(result, outputs);
  const counts = readCounts(found.parts, rules);
  const ofLevel = createLevelCounts({ counts, rules });
  const noted = new Map<string, Withheld>();
  const gone = new WeakSet<object>();

  function note(path: string, rule: string, values: number): void {
    if (values === 0) return;
    const key = `${path} ${rule}`;
    const known = noted.get(key) ?? { output: path, rule, values: 0 };
    known.values += values;
    noted.set(key, known);
  }

  /** Nothing in it is looked at again. */
  function forget(value: unknown): void {
    if (!isHolder(value)) return;
    gone.add(value);
    for (const inner of placesIn(value)) forget(valueAt(inner));
  }

  function judge(part: Part): void {
    if (gone.has(part.place.holder)) return;
    const before = valueAt(part.place);
    judgeValues(part, {
      counts,
      rules,
      args,
      ofLevel,
      withhold: ({ path }, rule, values) => note(path, rule, values),
    });
    if (valueAt(part.place) !== before) forget(before);
  }

  const evidence = found.parts.filter(({ output }) => EVIDENCE.includes(output.kind));
  const before = countValues(result) -
    evidence.reduce((sum, { place }) => sum + countValues(valueAt(place)), 0);
  complement(counts, found.parts, rules);
  const tooSmall = namesOfFew(found.named, counts.all, rules);
  for (const part of found.wholes) judge(part);
  for (const part of found.parts) if (VALUES.includes(part.output.kind)) judge(part);
  for (const { path, place } of [...found.others, ...otherParts(found.parts)]) {
    if (trusted || gone.has(place.holder)) continue;
    note(path, "other", countValues(valueAt(place)));
    takeOut(place);
  }
  for (const { part, place } of counts.wrong) {
    if (gone.has(place.holder)) continue;
    note(part.path, "other", countValues(valueAt(place)));
    put(place, null);
  }
  for (const count of counts.all) {
    if (gone.has(count.place.holder)) continue;
    if (count.withheld !== undefined) note(count.part.path, count.withheld, 1);
    finishCount(count, rules);
  }
  for (const { path, place } of tooSmall) {
    if (gone.has(place.holder)) continue;
    note(path, "min_level", Math.max(1, countValues(valueAt(place))));
    takeOut(place);
  }
  for (const { place } of evidence) delete (place.holder as Record<string, unknown>)[place.key];
  const after = countValues(result);
  // An algorithm that knows the rules has left out things by itself, and said so.
  const own = Array.isArray(result.withheld) ? result.withheld as Withheld[] : [];
  const withheld = [...own, ...noted.values()];
  if (withheld.length > 0) put({ holder: result, key: "withheld" }, withheld);
  return { result, withheld, before, after };
}

const EVIDENCE: readonly Output["kind"][] = ["persons", "contributions"];
const VALUES: readonly Output["kind"][] = [
  "moments",
  "model",
  "curve",
  "quantiles",
  "estimate",
  "levels",
];

function otherParts(parts: readonly Part[]): Pick<Part, "path" | "place">[] {
  return parts.filter(({ output }) => output.kind === "other");
}

/**
 * Parts whose name is a level that fewer persons have than may be told of: the most that any count
 * right in them says.
 */
function namesOfFew(
  named: readonly Part[],
  all: ReturnType<typeof readCounts>["all"],
  { minLevel }: DisclosureRules,
): { path: string; place: Place }[] {
  const most = new Map<object, number>();
  const own = new Map<object, Map<string | number, number>>();
  for (const { place: { holder, key }, part, persons, value } of all) {
    // Of nobody is no level that somebody has.
    const known = value === 0 ? Infinity : persons;
    const of = own.get(part.place.holder) ?? new Map();
    own.set(part.place.holder, of);
    of.set(part.place.key, Math.max(of.get(part.place.key) ?? 0, known));
    if (key === part.place.key) most.set(holder, Math.max(most.get(holder) ?? 0, known));
  }
  return named.filter(({ place }) => {
    const value = valueAt(place);
    const persons = own.get(place.holder)?.get(place.key) ??
      (isHolder(value) ? most.get(value) : undefined);
    return persons !== undefined && persons < minLevel;
  });
}
