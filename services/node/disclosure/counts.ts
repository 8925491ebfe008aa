/**
 * The counts of a result: how many persons each is of, and which of them may not leave.
 * @module
 */
import type { DisclosureRules } from "../algorithms/api.ts";
import type { Output } from "../algorithms/sextant/description.ts";
import { isHolder, isObject, type Place, placesIn, put, takeOut, valueAt } from "./places.ts";
import type { Part } from "./read_parts.ts";

/** A count in a result. */
export interface Count {
  part: Part;
  place: Place;
  /** From the part's value to the count. */
  steps: readonly (string | number)[];
  value: number;
  /** The fewest persons that it may be of, as far as is known. */
  persons: number;
  /** Whether persons were counted, and not only rows. */
  isOfPersons: boolean;
  /** The rule by which it does not leave. */
  withheld: string | undefined;
}

/** How many persons something rests on. */
export type Behind = Pick<Count, "persons" | "isOfPersons" | "withheld">;

export interface Counts {
  all: Count[];
  /** What is not a count where one should be. */
  wrong: { part: Part; place: Place }[];
  /**
   * What the part named so, as seen from `part`, says of what is at `steps` in its value. A place
   * with several counts below it stands for all of them; `undefined` where there is none.
   */
  behind(name: string, part: Part, steps: Count["steps"]): Behind[] | undefined;
  /** Whether it has places of its own for what is at `steps`. */
  hasPlaces(name: string, part: Part, steps: Count["steps"]): "list" | "record" | undefined;
  at(place: Place): Count | undefined;
}

/** Looks at every count by itself. Others may have to go with them: see `complement.ts`. */
export function readCounts(parts: readonly Part[], rules: DisclosureRules): Counts {
  const all: Count[] = [];
  const wrong: Counts["wrong"] = [];
  const byHolder = new Map<object, Map<string | number, Count>>();

  function at({ holder, key }: Place): Count | undefined {
    return byHolder.get(holder)?.get(key);
  }

  function add(part: Part, place: Place, steps: Count["steps"]): void {
    const value = valueAt(place);
    if (value === null) return;
    if (isHolder(value)) {
      for (const inner of placesIn(value)) add(part, inner, [...steps, inner.key]);
      return;
    }
    if (!Number.isSafeInteger(value) || (value as number) < 0) {
      wrong.push({ part, place });
      return;
    }
    const count: Count = {
      part,
      place,
      steps,
      value: value as number,
      persons: value as number,
      isOfPersons: rules.persons === null,
      withheld: undefined,
    };
    all.push(count);
    const ofHolder = byHolder.get(place.holder) ?? new Map();
    byHolder.set(place.holder, ofHolder.set(place.key, count));
  }

  function below(place: Place, output: Output): Behind[] {
    const value = valueAt(place);
    if (isHolder(value)) return placesIn(value).flatMap((inner) => below(inner, output));
    if (output.kind === "persons") {
      const isNumber = Number.isSafeInteger(value) && (value as number) >= 0;
      return isNumber ? [{ persons: value as number, isOfPersons: true, withheld: undefined }] : [];
    }
    const count = at(place);
    return count ? [count] : [];
  }

  function behind(name: string, part: Part, steps: Count["steps"]): Behind[] | undefined {
    const found = follow(name, part, steps);
    const counts = found ? below(found.place, found.output) : [];
    return counts.length > 0 ? counts : undefined;
  }

  for (const part of parts) {
    if (part.output.kind === "count" || part.output.kind === "table") add(part, part.place, []);
  }
  // A count that rests on another, which may rest on a third, has what all of them have at most.
  const settled = new Set<Count>();
  function settle(count: Count): void {
    if (settled.has(count)) return;
    settled.add(count);
    for (const name of [count.part.output.restsOn ?? []].flat()) {
      const found = follow(name, count.part, count.steps);
      for (const one of found ? below(found.place, found.output) : []) {
        if ("part" in one) settle(one as Count);
        // One of nobody is of no more, whatever it rests on.
        count.persons = Math.min(count.persons, one.persons);
        count.isOfPersons ||= one.isOfPersons;
      }
    }
  }
  for (const count of all) {
    settle(count);
    count.withheld = ruleAgainst(count, rules);
  }

  return {
    all,
    wrong,
    behind,
    at,
    hasPlaces(name, part, steps) {
      const found = follow(name, part, steps);
      const value = found && valueAt(found.place);
      return Array.isArray(value) ? "list" : isHolder(value) ? "record" : undefined;
    },
  };
}

/** The nearest part of that name that counts. */
function find(name: string, { scopes }: Part): { place: Place; output: Output } | undefined {
  for (const { object, outputs } of scopes) {
    if (!Object.hasOwn(object, name)) continue;
    const output = outputs.find((one) => one.name === name);
    if (output && COUNTING.includes(output.kind)) {
      return { place: { holder: object, key: name }, output };
    }
  }
}

/** Where in it that is which stands for what is at `steps`. */
function follow(name: string, part: Part, steps: Count["steps"]) {
  const found = find(name, part);
  if (!found) return undefined;
  let { place } = found;
  for (const key of steps) {
    const value = valueAt(place);
    if (!isHolder(value)) break;
    place = { holder: value, key };
  }
  const value = valueAt(place);
  const isCell = isObject(value) && typeof value.count === "number";
  return { place: isCell ? { holder: value, key: "count" } : place, output: found.output };
}

const COUNTING: readonly Output["kind"][] = ["count", "table", "persons"];

function ruleAgainst(
  { value, persons, isOfPersons }: Count,
  { minCell }: DisclosureRules,
): string | undefined {
  if (value === 0) return undefined;
  if (!isOfPersons) return "persons";
  return persons < minCell ? "min_cell" : undefined;
}

/**
 * Takes a withheld count out, or rounds one that leaves. In a record that is named by levels the
 * name of one with too few persons goes with it.
 */
export function finishCount(
  { part: { output }, place, steps, value, persons, withheld }: Count,
  { roundTo, minLevel }: DisclosureRules,
): void {
  if (withheld === undefined) {
    if (roundTo > 1) put(place, Math.round(value / roundTo) * roundTo);
    return;
  }
  const isNamedByLevel = steps.length > 0 && (output.keys !== "setting" || output.name === "*");
  if (isNamedByLevel && persons < minLevel) takeOut(place);
  else put(place, null);
}
