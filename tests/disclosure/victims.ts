/**
 * A hub with nodes whose owners have rules on what may leave, and data in which one person stands
 * out.
 * @module
 */
import assert from "node:assert/strict";
import type { TestStack } from "../harness.ts";
import { createSite, type Json, type Member, type NewTask, type Site } from "../site.ts";

/** The cost of p7, who is the only one above a thousand; it must not be seen. */
export const SECRET = 70425.25;

export interface Person {
  name: string;
  age: number;
  sex: string;
  hiv: number;
  cost: number;
  centre: string;
  days: number;
  died: number;
}

/** Sixty persons. Two are of centre c; p7 is ill, and of the young the only one. */
export const PEOPLE: Person[] = Array.from({ length: 60 }, (_, i) => ({
  name: `p${i}`,
  age: 20 + i,
  sex: i % 2 === 0 ? "f" : "m",
  hiv: i === 7 || i > 45 ? 1 : 0,
  cost: i === 7 ? SECRET : 100 + 2 * i + i % 3,
  centre: i === 7 || i === 8 ? "c" : i % 3 === 0 ? "a" : "b",
  days: 10 + 7 * i,
  died: i % 3 === 0 ? 1 : 0,
}));

const COLUMNS = Object.keys(PEOPLE[0]!) as (keyof Person)[];

export function csvOf(people: Person[]): string {
  return [COLUMNS, ...people.map((one) => COLUMNS.map((name) => one[name]))]
    .map((row) => row.join(",")).join("\n") + "\n";
}

export interface Victims {
  site: Site;
  /** By what their rules are; `one` has one row, under datashield. */
  members: Record<"datashield" | "strict" | "one" | "hold", Member>;
  /** Runs a task at one of them; what can be read of it anywhere is in `seen`. */
  attack(task: Omit<NewTask, "members"> & { at: Member }): Promise<Attacked>;
}

export interface Attacked {
  status: string;
  result: Json;
  /** All that the hub tells the researcher of the task, as text. */
  seen: string;
  reason: string;
}

const OWN = new URL("./algorithms", import.meta.url).pathname;

export async function createVictims(
  stack: TestStack,
  node: Record<string, unknown> = {},
): Promise<Victims> {
  const all = csvOf(PEOPLE);
  const disclosures = [
    { profile: "datashield" },
    { profile: "strict" },
    { profile: "datashield" },
    { profile: "datashield", unlisted: "hold" },
  ];
  const site = await createSite(stack, {
    data: [all, all, csvOf([PEOPLE[7]!]), all],
    node: (index) => ({
      algorithm_folders: [OWN],
      algorithm_library: true,
      disclosure: disclosures[index]!,
      ...node,
    }),
  });
  const [datashield, strict, one, hold] = site.members as [Member, Member, Member, Member];
  return {
    site,
    members: { datashield, strict, one, hold },
    async attack({ at, ...task }) {
      const { id } = await site.post({ ...task, members: [at] });
      const { researcher } = site;
      const { status, runs, results } = await site.outcome(id);
      const reads = [`/task/${id}`, `/run?task_id=${id}`, `/result?task_id=${id}`];
      const children = (await researcher.get(`/task?parent_id=${id}`)).data as Json[];
      for (const child of children) reads.push(`/task/${child.id}`, `/run?task_id=${child.id}`);
      const seen = await Promise.all(reads.map(async (path) => await researcher.get(path)));
      return {
        status,
        result: results[0],
        seen: JSON.stringify([seen, results]),
        reason: runs[0]!.log ?? "",
      };
    },
  };
}

/** Nothing that could be read is the secret, to six digits, or has it in its text. */
export function assertNoSecret(what: string, ...found: (Attacked | Json)[]): void {
  const text = JSON.stringify(found);
  const unpacked = text + [...text.matchAll(/[A-Za-z0-9+/]{24,}={0,2}/g)].map(([one]) => {
    try {
      return atob(one);
    } catch {
      return "";
    }
  }).join(" ");
  assert.doesNotMatch(unpacked, /70425/, what);
  for (const [number] of unpacked.matchAll(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi)) {
    const off = Math.abs(Number(number) - SECRET) / SECRET;
    assert.ok(off > 1e-6, `${what}: ${number}`);
  }
}
