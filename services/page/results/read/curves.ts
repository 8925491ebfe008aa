/**
 * Curves of survival, of groups or of baselines.
 * @module
 */
import type { Step, Survival, Table } from "./pieces.ts";
import { type Drawn, whoseOf } from "./forests.ts";
import { isPlain, isRecord, isRecords, numberOf, tableOf, type Values } from "./values.ts";

/** More steps than a screen has columns are not seen. */
const MOST_STEPS = 2000;
const MOST_GROUPS = 12;

interface Group {
  name: string;
  organization?: number;
  facts: Values;
  curve: Values[];
}

/** `{curve: [{time, survival, …}]}` by group, or in a list. */
export function readSurvival(value: unknown): Drawn[] | undefined {
  const groups = groupsOf(value);
  if (!groups) return undefined;
  const drawn = groups.map(({ facts, curve, ...named }) => ({
    ...named,
    n: numberOf(facts.n),
    steps: stepsOf(curve),
  }));
  if (drawn.some(({ steps }) => steps === undefined)) return undefined;
  const seen = drawn.filter(({ steps }) => steps!.length > 0) as Survival["groups"];
  const isDrawn = seen.length > 0 && seen.length <= MOST_GROUPS;
  const table = curveTable(groups);
  const facts = factTable(groups);
  return [
    { table, picture: isDrawn ? { is: "survival", groups: seen } : undefined },
    ...facts ? [{ table: facts, picture: undefined, part: "in numbers" }] : [],
  ];
}

function groupsOf(value: unknown): Group[] | undefined {
  const isOne = (one: unknown): one is Values & { curve: Values[] } =>
    isRecord(one) && Array.isArray(one.curve) && one.curve.every(isRecord);
  if (isRecord(value)) {
    const named = Object.entries(value);
    if (named.length === 0) return undefined;
    return named.every(([, one]) => isOne(one))
      ? named.map(([name, one]) => group(name, one as Values & { curve: Values[] }))
      : undefined;
  }
  if (!isRecords(value) || !value.every(isOne)) return undefined;
  return value.map(({ organization, stratum, ...one }) => ({
    ...group("", one as Values & { curve: Values[] }),
    ...whoseOf(organization),
    name: isPlain(stratum) && !isNone(stratum) ? String(stratum) : "",
  }));
}

function group(name: string, { curve, ...facts }: Values & { curve: Values[] }): Group {
  return { name, facts, curve };
}

function isNone(value: unknown): boolean {
  return value === null || value === undefined;
}

/** `undefined` for what is no curve of survival. */
function stepsOf(curve: Values[]): Step[] | undefined {
  const steps: Step[] = [];
  let before = -Infinity;
  for (const step of curve) {
    const time = numberOf(step.time);
    const survival = numberOf(step.survival);
    if (time === null || survival === null || time < before) return undefined;
    before = time;
    steps.push({
      time,
      survival,
      low: numberOf(step.low),
      high: numberOf(step.high),
      atRisk: numberOf(step.at_risk),
    });
  }
  return thinned(steps);
}

/** Of steps that are too near to each other to be told apart, the last one. */
function thinned(steps: Step[]): Step[] {
  if (steps.length <= MOST_STEPS) return steps;
  const first = steps[0]!.time;
  const width = (steps.at(-1)!.time - first) / MOST_STEPS;
  const placeOf = (step: Step | undefined) => step && Math.floor((step.time - first) / width);
  return steps.filter((step, index) => placeOf(step) !== placeOf(steps[index + 1]));
}

function curveTable(groups: Group[]): Table {
  return tableOf(
    groups.flatMap((one) => one.curve.map((step) => ({ ...namesOf(one, groups), ...step }))),
  );
}

/** What there is about each group beside its curve: medians, restricted means. */
function factTable(groups: Group[]): Table | undefined {
  if (groups.every(({ facts }) => Object.keys(facts).length === 0)) return undefined;
  return tableOf(groups.map((one) => ({ ...namesOf(one, groups), ...unfolded(one.facts) })));
}

/** Columns that tell groups apart, where there are several. */
function namesOf({ name, organization }: Group, groups: Group[]): Values {
  return {
    ...groups.some((one) => one.organization !== undefined) ? { organization } : {},
    ...groups.some((one) => one.name !== "") ? { group: name } : {},
  };
}

function unfolded(facts: Values): Values {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) =>
      isRecord(value)
        ? Object.entries(value).map(([inner, one]) => [`${name}.${inner}`, one])
        : [[name, value]]
    ),
  );
}
