import assert from "node:assert/strict";
import type { Table } from "../../algorithms/api.ts";
import { memoryTable } from "../../../../tests/support/memory_table.ts";
import { PROFILES } from "../rules.ts";
import { answer } from "./answer.ts";
import { type Question, readQuestion } from "./questions.ts";
import { openSession } from "./session.ts";

type Values = (string | number | null)[];
type Computed = Exclude<Question, { ask: "describe" }>;

const rules = { profile: "datashield" as const, persons: null, ...PROFILES.datashield };

/** Asks of rows that a task's preprocessing has chosen, or of a whole table. */
function ask(columns: Record<string, Values>, question: object, isFiltered = true) {
  const table: Table = { ...memoryTable(columns), isFiltered };
  const session = openSession(table, rules);
  const read = readQuestion({ label: "default", ...question }) as Computed;
  return { ...answer(session, read), used: session.used };
}

const SURVIVAL = { ask: "riskSets", time: "time", event: "event" };

Deno.test("a guarded question that fails of one row that preprocessing chose is answered as of any other one", () => {
  for (const question of [SURVIVAL, { ask: "quantileCounts", column: "text", thresholds: [1] }]) {
    const of = (event: number, text: string | null) =>
      ask({ time: [3], event: [event], text: [text] }, question).value;
    const told = of(1, null);
    assert.deepEqual(of(2, "ill"), told);
    assert.deepEqual((told as { withheld: string[] }).withheld, ["min_subset"]);
  }
});

Deno.test("a guarded question that fails of many chosen rows tells nothing, and that is for the ledger", () => {
  const time = Array.from({ length: 20 }, (_, row) => row % 5);
  const event = time.map((_, row) => row === 7 ? 2 : row % 2);
  const { value, failed, used } = ask({ time, event }, SURVIVAL);
  assert.deepEqual(value, {
    n: null,
    persons: null,
    least: 3,
    rounded_to: 1,
    withheld: ["min_subset"],
    groups: [],
  });
  assert.deepEqual([failed, used], [true, [{ rows: null }]]);
  assert.equal(ask({ time, event: event.map((one) => one % 2) }, SURVIVAL).failed, false);
});

Deno.test("a guarded question that is wrong whichever rows are chosen says so", () => {
  const columns = { time: [1, 2, 3, 4], event: [1, 0, 2, 1] };
  assert.throws(() => ask(columns, SURVIVAL, false), /must hold 0 and 1/);
  assert.throws(() => ask(columns, { ...SURVIVAL, time: "nothing" }), /no column "nothing"/);
  for (const event of [2, 1]) {
    const one = { time: [1], event: [event] };
    assert.throws(() => ask(one, { ...SURVIVAL, where: "time > 0" }), /not by both/);
  }
});
