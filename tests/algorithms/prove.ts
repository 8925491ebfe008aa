/**
 * The proof of the library: its numbers on public data, split over sites in several ways, beside
 * those of the reference implementations on the pooled rows (`reference/`, with the script that
 * made them).
 * @module
 */
import { createFederation, type Federation } from "../support/federation.ts";
import { SPLITS } from "./splits.ts";

/** One number, proved on one split. */
export interface Proof {
  algorithm: string;
  data: string;
  /** Which package computed it. */
  by: string;
  /** Which of the cases it is. */
  analysis: number;
  split: string;
  /** Its way through our result: `coefficients/age/estimate`. */
  number: string;
  reference: number;
  /** `NaN` where our result has no such number. */
  ours: number;
  /** Relative; of a number that ought to be 0, absolute. */
  difference: number;
  bound: number;
}

/** An analysis, with the numbers that the reference found. */
export interface Case {
  algorithm: string;
  data: string;
  reference: string;
  arguments: Record<string, unknown>;
  bound: number;
  numbers: Record<string, number>;
  /** Splits that its numbers hold for; all of them unless given. */
  splits?: string[];
  /** The column that a split sorts by; the first one unless given. */
  sort?: string;
  /** Its place among all cases. */
  place: number;
  /** The data, pooled. */
  csv: string;
}

const FOLDER = new URL("./reference/", import.meta.url);
const PACKAGES = new URL("../../services/node/algorithms/packages/", import.meta.url);

/** Computes everything, or only the algorithms named. */
export async function prove(only: string[] = []): Promise<Proof[]> {
  const asked = await readCases(only);
  const proofs: Proof[] = [];
  const federations = new Map<string, Federation>();
  for (const one of asked) {
    for (const split of one.splits ?? Object.keys(SPLITS)) {
      const key = `${one.data} ${one.sort} ${split}`;
      if (!federations.has(key)) federations.set(key, await deal(one, split));
      proofs.push(...await proveCase(one, split, federations.get(key)!));
    }
  }
  return proofs;
}

/** The cases of these algorithms, or of all. */
export async function readCases(only: string[] = []): Promise<Case[]> {
  const { cases } = JSON.parse(await Deno.readTextFile(new URL("reference.json", FOLDER)));
  const asked = (cases as Case[]).map((one, place) => ({ ...one, place })).filter(
    ({ algorithm }) => only.length === 0 || only.includes(algorithm),
  );
  return await Promise.all(asked.map(async (one) => ({
    ...one,
    csv: await Deno.readTextFile(new URL(`data/${one.data}.csv`, FOLDER)),
  })));
}

async function deal({ csv, sort }: Case, split: string): Promise<Federation> {
  return await createFederation(SPLITS[split]!(csv, sort));
}

/** The number of all that are not within their bounds. */
export function failures(proofs: Proof[]): Proof[] {
  return proofs.filter(({ difference, bound }) => !(difference <= bound));
}

async function proveCase(one: Case, split: string, federation: Federation): Promise<Proof[]> {
  const module = await import(new URL(`${one.algorithm}/algorithm.ts`, PACKAGES).href);
  try {
    const result = await federation.run(module, "central", one.arguments);
    return compareNumbers(one, split, result);
  } catch (error) {
    throw new Error(`Cannot prove ${one.algorithm} on ${one.data}, ${split}`, { cause: error });
  }
}

/** The numbers of our result beside the reference's. */
export function compareNumbers(
  { algorithm, data, reference: by, place: analysis, bound, numbers }: Case,
  split: string,
  result: unknown,
): Proof[] {
  return Object.entries(numbers).map(([number, reference]) => {
    const ours = numberAt(result, number);
    const away = difference(ours, reference);
    const place = { algorithm, data, by, analysis, split, number };
    return { ...place, reference, ours, difference: away, bound };
  });
}

function numberAt(result: unknown, way: string): number {
  let value = result as Record<string, unknown> | null;
  for (const step of way.split("/")) value = (value?.[step] ?? null) as typeof value;
  return typeof value === "number" ? value : NaN;
}

function difference(ours: number, reference: number): number {
  const distance = Math.abs(ours - reference);
  return reference === 0 ? distance : distance / Math.abs(reference);
}
