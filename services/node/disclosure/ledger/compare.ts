/**
 * A selection beside those that left before: what the two, or several together, would tell of.
 * @module
 */
import { type LedgerEntry, readBytes } from "./files.ts";
import { difference, type Selection, type Sketch, sketchesDiffer, sketchOf } from "./selection.ts";
import { createTogether, type Together } from "./together.ts";

export interface ComparedWith {
  entries: readonly LedgerEntry[];
  folder: string;
  least: number;
  /** Of the run: what one run lets out is looked at together, elsewhere. */
  resultId: number;
}

/** Sketches of entries, each made when it is first asked for. */
export type Sketches = (entry: LedgerEntry) => Promise<Sketch>;

export function createSketches(folder: string): Sketches {
  const made = new Map<string, Sketch>();
  return async (entry) => {
    const sketch = made.get(entry.digest) ?? sketchOf(await readBytes(folder, entry));
    made.set(entry.digest, sketch);
    return sketch;
  };
}

/** Whether a selection differs from one that left before in too few persons. */
export async function isTooClose(
  one: Selection,
  { entries, folder, least, resultId }: ComparedWith,
  { sketches, pause }: { sketches: Sketches; pause: () => Promise<void> },
): Promise<boolean> {
  let [bytes, sketch]: [Selection["bytes"]?, Sketch?] = [];
  for (const entry of entries) {
    if (entry.unit !== one.unit || entry.result_id === resultId) continue;
    // They differ in as many at least.
    if (Math.abs(entry.persons - one.persons) >= least) continue;
    if (one.unit === "counted") {
      if (entry.persons !== one.persons) return true;
      continue;
    }
    await pause();
    bytes ??= one.bytes;
    sketch ??= sketchOf(bytes);
    // To read an entry takes a hundred times as long.
    if (sketchesDiffer(sketch, await sketches(entry)) >= least) continue;
    const earlier = { ...entry, bytes: await readBytes(folder, entry) };
    const differs = difference({ ...one, bytes }, earlier);
    if (differs > 0 && differs < least) return true;
  }
  return false;
}

/**
 * What a run alone tells, by unit: it leaves together, and is looked at elsewhere. Built when it is
 * first asked for, and added to from then on.
 */
export type OwnOfRun = (unit: Selection["unit"], before: number) => Promise<Together>;

/** Of a run's selections, and of what has left of its result already. */
export function createOwnOfRun(
  selections: readonly Selection[],
  { entries, folder, least, resultId }: ComparedWith,
): OwnOfRun {
  const made = new Map<string, { together: Together; added: number }>();
  return async (unit, before) => {
    let own = made.get(unit);
    if (!own) {
      own = { together: createTogether(least), added: 0 };
      made.set(unit, own);
      for (const entry of entries) {
        if (entry.unit !== unit || entry.result_id !== resultId) continue;
        own.together.add({ bytes: await readBytes(folder, entry) });
      }
    }
    for (; own.added < before; own.added++) {
      const other = selections[own.added]!;
      if (other.unit === unit) own.together.add(other);
    }
    return own.together;
  };
}

/**
 * Whether a selection, with several others, tells of too few persons; those of its own run alone
 * are looked at together elsewhere.
 */
export async function tellsOfFew(
  one: Pick<Selection, "bytes">,
  all: Together,
  ownBefore: () => Promise<Together>,
): Promise<boolean> {
  const few = all.few(one);
  if (few.length === 0) return false;
  const own = await ownBefore();
  const ofOwn = new Set(own.few(one).map((persons) => persons.join()));
  return few.some((persons) => !ofOwn.has(persons.join()));
}
