import assert from "node:assert/strict";
import type { PastRun } from "../contract.ts";
import { isShown, outcomeOf, withOlder } from "./outcome.ts";

const at = "2026-11-27T10:00:00.000Z";

function run(changes: Partial<PastRun> = {}): PastRun {
  return {
    task_id: 1,
    result_id: 2,
    attempt: 1,
    at,
    received_at: null,
    asked: null,
    started_at: null,
    code: null,
    ended: null,
    refused: null,
    disclosure: null,
    held: null,
    decision: null,
    dropped: null,
    left: [],
    ...changes,
  };
}

const completed = { at, status: "completed" };
const disclosure = { decision: "released", profile: "datashield", reason: null, withheld: [] };
const withheld = [{ output: "mean", rule: "fewer than min_cell persons", values: 2 }];
const held = { at, why: "not trusted" };
const left = [{ at, what: "report", bytes: 3, sha256: "ab" }];

Deno.test("outcomeOf says what stopped a run before what it was stopped at", () => {
  const cases: [Partial<PastRun>, tone: string, word: string, reason?: string][] = [
    [{}, "waiting", "waits"],
    [{ started_at: at }, "running", "runs"],
    [{ left }, "bad", "ended without a result"],
    [{ left: [{ ...left[0]!, what: "subtask input" }] }, "waiting", "waits"],
    [{ started_at: at, ended: completed }, "good", "completed"],
    [{ ended: { at, status: "crashed" } }, "bad", "crashed"],
    [{ ended: completed, disclosure }, "good", "completed"],
    [
      { ended: completed, disclosure: { ...disclosure, withheld } },
      "warn",
      "completed",
      "2 of mean withheld: fewer than min_cell persons",
    ],
    [
      {
        ended: completed,
        disclosure: { ...disclosure, decision: "refused", reason: "too few" },
      },
      "bad",
      "refused by the rules on what may leave (datashield)",
      "too few",
    ],
    [{ refused: { at, reason: "not listed" }, left }, "bad", "refused", "not listed"],
    [{ ended: completed, held }, "warn", "held for a person", "not trusted"],
    [
      { ended: completed, held, decision: { is: "release", by: "ann", reason: "fine" } },
      "good",
      "released by ann",
      "fine",
    ],
    [
      { ended: completed, held, decision: { is: "refuse", by: "ann", reason: "one person" } },
      "bad",
      "refused at release by ann",
      "one person",
    ],
    [{ ended: completed, held, dropped: "killed" }, "bad", "dropped while it was held", "killed"],
  ];
  for (const [changes, tone, word, reason] of cases) {
    const outcome = outcomeOf(run(changes));
    assert.deepEqual(outcome, { tone, word, reasons: reason === undefined ? [] : [reason] });
  }
});

Deno.test("isShown tells what was stopped from what left", () => {
  const plain = run({ ended: completed, left });
  const stopped = run({ refused: { at, reason: "r" } });
  const partly = run({ disclosure: { ...disclosure, withheld }, left });
  const shown = (filter: "all" | "stopped" | "left") =>
    [plain, stopped, partly].map((one) => isShown(one, filter));
  assert.deepEqual(shown("all"), [true, true, true]);
  assert.deepEqual(shown("stopped"), [false, true, true]);
  assert.deepEqual(shown("left"), [true, false, true]);
});

Deno.test("withOlder completes an attempt with what lies further back, and keeps others apart", () => {
  const newer = run({ ended: completed, left, at: "2026-11-27T12:00:00.000Z" });
  const asked = { image: "deno:a@1", user_id: 1 };
  const older = run({ received_at: at, asked, started_at: at, code: "sha256:ab" });
  const other = run({ result_id: 3 });
  const [one, two, ...more] = withOlder([newer], [older, other]);
  assert.deepEqual(one, { ...newer, received_at: at, asked, started_at: at, code: "sha256:ab" });
  assert.deepEqual([two, more], [other, []]);
});
