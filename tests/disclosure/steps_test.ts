/**
 * What a researcher could time: which steps a run takes at a site, how many messages leave it, what
 * is in them, and what is written there. It is the same however few persons a choice of rows
 * has, by sequence and number and not by the clock, so that no clock tells more.
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { useTestStack } from "../harness.ts";
import { encodeInput, type Json, type Member } from "../site.ts";
import { createVictims, type Victims } from "./victims.ts";

const stack = useTestStack();
let made: Promise<Victims> | undefined;
const PROFILES = ["datashield", "strict"] as const;

function victims(): Promise<Victims> {
  return made ??= (async () => {
    const found = await createVictims(stack());
    for (const profile of PROFILES) await found.site.startNode(found.members[profile]);
    return found;
  })();
}

interface Asked {
  image: string;
  method: string;
  /** `where` is put where the method takes it. */
  kwargs: (where: string | undefined) => Record<string, unknown>;
  /** The task's preprocessing: persons up to an age. */
  upTo?: number;
}

const OF_LIBRARY: Asked[] = [
  ["summary", "partial", { columns: ["cost", "sex"], categories: [] }],
  ["summary", "central", { columns: ["cost"], group: "sex" }],
  ["crosstab", "partial", { row: "sex", column: "hiv" }],
  ["histogram", "partial", { column: "cost", from: 0, to: 1000, bins: 10 }],
  ["kaplan_meier", "partial", { time: "days", event: "died" }],
  ["glm", "central", { outcome: "age", predictors: ["days"] }],
].map(([name, method, kwargs]) => ({
  image: `deno:${name}@1.0.0`,
  method: method as string,
  kwargs: (where) => ({ ...kwargs as object, ...where === undefined ? {} : { where } }),
}));

const OWN: Asked[] = [
  ["groups", (more: object) => [["sex"], { sums: ["cost"], ...more }]],
  ["moments", (more: object) => [["cost", "age"], more]],
  ["crossProducts", (more: object) => [["cost", "age"], more]],
  ["riskSets", (more: object) => ["days", "died", more]],
  ["quantileCounts", (more: object) => ["cost", [100, 150], more]],
].map(([ask, args]) => ({
  image: "deno:attack@1.0.0",
  method: "ask",
  kwargs: (where) => ({
    questions: [[ask, (args as (more: object) => unknown[])(where === undefined ? {} : { where })]],
  }),
}));

/** All that is done and sent for a task, in its order, without times and numbers of tasks. */
async function stepsOf(
  { image, method, kwargs, upTo }: Asked,
  where: string | undefined,
  member: Member,
): Promise<unknown> {
  const { site } = await victims();
  const { researcher, collaborationId } = site;
  const folder = join(dirname(member.config), "node-data");
  const before = await filesIn(join(folder, "ledger"));
  const asked = method === "central"
    ? { ...kwargs(where), organizations: [member.id] }
    : kwargs(where);
  const preprocessing = upTo === undefined ? [] : [{
    function: "filter_range",
    parameters: { column: "age", min_: 0, max_: upTo, include_min: true, include_max: true },
  }];
  const { id } = await researcher.post("/task", {
    name: "steps",
    image,
    collaboration_id: collaborationId,
    organizations: [{ id: member.id, input: encodeInput({ method, kwargs: asked }) }],
    databases: [{ label: "default", preprocessing }],
  });
  const { status, results, runs } = await site.outcome(id);
  const children = (await researcher.get(`/task?parent_id=${id}`)).data as Json[];
  const tasks = [id, ...children.map((child) => child.id).sort((a, b) => a - b)];
  const ended = await Promise.all(tasks.map(async (task) => {
    const runs = (await researcher.get(`/run?task_id=${task}`)).data as Json[];
    const results = (await researcher.get(`/result?task_id=${task}`)).data as Json[];
    // Their texts have the same length, whatever they say.
    return [runs.map(({ status, log }) => ({ status, log })), results.map(({ result }) => result)];
  }));
  const records = (await Deno.readTextFile(join(folder, "audit.log"))).trim().split("\n")
    .map((line) => JSON.parse(line));
  const audited = tasks.map((task) =>
    records.filter(({ task_id }) => task_id === task).map((record) => ({
      ...Object.fromEntries(TOLD.map((key) => [key, record[key]])),
      says: Object.keys(record).sort(),
    }))
  );
  const after = await filesIn(join(folder, "ledger"));
  return { status, results, reason: runs[0]!.log, ended, audited, added: after - before };
}

/** Of a record of the audit log what must be the same. */
const TOLD = ["event", "status", "decision", "access", "withheld", "values_after"];

async function filesIn(folder: string): Promise<number> {
  let count = 0;
  for (const { name, isDirectory } of await Array.fromAsync(Deno.readDir(folder)).catch(() => [])) {
    count += isDirectory ? await filesIn(join(folder, name)) : 1;
  }
  return count;
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `'p${i + 5}'`).join();
const CHOICES: Record<string, (profile: typeof PROFILES[number]) => (string | number)[]> = {
  "a name": (profile) => [
    "name = 'nobody'",
    "name = 'p7'",
    "name in ('p7', 'nobody')",
    `name in (${names(profile === "strict" ? 10 : 2)})`,
  ],
  "an end of a column": (
    profile,
  ) => ["age < 20", "age < 21", `age < ${profile === "strict" ? 30 : 22}`],
  "several columns": () => [
    "age >= 27 and age <= 27 and hiv = 0",
    "age >= 27 and age <= 27 and hiv = 1",
    "age >= 27 and age <= 28 and sex != 'x'",
  ],
  "preprocessing": (profile) => [19, 20, profile === "strict" ? 29 : 21],
};

for (const [kind, asked] of Object.entries({ library: OF_LIBRARY, "an own algorithm": OWN })) {
  for (const [by, choicesOf] of Object.entries(CHOICES)) {
    Deno.test(`steps: by ${by}, ${kind} does, sends and writes the same of nobody, of one person, and of one fewer than may be told of`, async () => {
      const { members } = await victims();
      // Each node does one after the other: what is counted there is of one run.
      await Promise.all(PROFILES.map(async (profile) => {
        for (const one of asked) {
          const choices = choicesOf(profile);
          const seen: unknown[] = [];
          for (const choice of choices) {
            seen.push(
              typeof choice === "number"
                ? await stepsOf({ ...one, upTo: choice }, undefined, members[profile])
                : await stepsOf(one, choice, members[profile]),
            );
          }
          for (const [i, other] of seen.entries()) {
            const asked = JSON.stringify(one.kwargs(String(choices[i])));
            assert.deepEqual(other, seen[0], `${profile}, ${one.image} ${asked}`);
          }
        }
      }));
    });
  }
}
