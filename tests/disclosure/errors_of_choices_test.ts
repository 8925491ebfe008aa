/**
 * Whether an analysis of chosen rows fails may be the answer of one of them: so it is told as any
 * other answer is, by the rules and by the ledger.
 * @module
 */
import assert from "node:assert/strict";
import { createSiteWithLedger } from "../support/site_with_ledger.ts";
import { fileOf, type Result } from "../support/under_rules.ts";

const ROWS = 60;
/** The row that somebody wants to know of. */
const VICTIM = 41;

type Question = [name: string, method: string, kwargs: Record<string, unknown>];

/** Questions that take no value below 0, or none but 0 and 1, in the column that the victim has. */
const QUESTIONS: Record<string, Question> = {
  "a time below 0": ["kaplan_meier", "partial", { time: "secret", event: "event" }],
  "an event that is neither 0 nor 1": ["kaplan_meier", "partial", { time: "time", event: "flag" }],
  "person-time below 0": [
    "incidence_rates",
    "partial",
    { events: "event", person_time: "secret" },
  ],
  "events that are no whole number": [
    "incidence_rates",
    "partial",
    { events: "part", person_time: "time" },
  ],
};

function siteOf(isVictim: boolean): string {
  const other = (row: number, value: number, otherwise: number) =>
    isVictim && row === VICTIM - 1 ? value : otherwise;
  return fileOf(ROWS, {
    row: (row) => row + 1,
    time: (row) => 1 + row % 6,
    event: (row) => row % 2,
    secret: (row) => other(row, -1, 1 + row % 6),
    flag: (row) => other(row, 2, row % 2),
    part: (row) => other(row, 0.5, row % 2),
  });
}

/** What is heard of two choices that differ by so many rows, the victim among them. */
async function heard(isVictim: boolean, question: Question, differ: number): Promise<Result[]> {
  await using site = await createSiteWithLedger(siteOf(isVictim));
  const [name, method, kwargs] = question;
  const answers: Result[] = [];
  for (const last of [VICTIM - 1, VICTIM - 1 + differ]) {
    answers.push(await site.ask(name, method, { ...kwargs, where: `row <= ${last}` }));
  }
  return answers;
}

Deno.test("attack: whether an analysis fails of rows that were chosen tells of nobody", async () => {
  for (const [what, question] of Object.entries(QUESTIONS)) {
    const [before, after] = await heard(true, question, 1);
    assert.ok(before.n > 0, what);
    assert.deepEqual([before, after], await heard(false, question, 1), what);
    assert.deepEqual(Object.keys(after), ["withheld"], what);
  }
});

Deno.test("an analysis that fails of chosen rows says so in its part, and of all rows as an error", async () => {
  for (const [what, question] of Object.entries(QUESTIONS)) {
    const [, after] = await heard(true, question, 12);
    const rule = "an error about the chosen rows";
    assert.deepEqual(after, { withheld: [{ output: "*", rule, values: 1 }] }, what);
    assert.ok((await heard(false, question, 12))[1].n > 0, what);
    await using site = await createSiteWithLedger(siteOf(true));
    await assert.rejects(site.ask(...question), TypeError, what);
  }
});

Deno.test("what is wrong with a question, whichever rows are chosen, stays an error", async () => {
  await using site = await createSiteWithLedger(siteOf(true));
  const kwargs = { time: "nothing", event: "event", where: "row <= 30" };
  await assert.rejects(site.ask("kaplan_meier", "partial", kwargs), /no column "nothing"/);
});
