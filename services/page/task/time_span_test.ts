import assert from "node:assert/strict";
import { aRun, aTask } from "./examples.ts";
import { spanOf, stretchesOf, ticksOf } from "./time_span.ts";

const at = (second: number) => Date.UTC(2026, 0, 1, 0, 0, second);
const text = (second: number) => new Date(at(second)).toISOString().replace("Z", "");
const span = { from: at(0), till: at(10) };

Deno.test("spanOf reaches from the first run queued to the last end, or to now", () => {
  const runs = new Map([
    [1, aRun({ id: 1, assigned_at: text(0), started_at: text(4), finished_at: text(6) })],
    [2, aRun({ id: 2, assigned_at: text(1), started_at: text(5) })],
  ]);
  const task = aTask({ id: 1 });
  assert.deepEqual(spanOf({ task, runs }, at(9), { withQueue: true }), {
    from: at(0),
    till: at(9),
  });
  assert.equal(spanOf({ task, runs }, at(9), { withQueue: false }).from, at(4));
  const empty = spanOf({ task, runs: new Map() }, at(9), { withQueue: true });
  assert.equal(empty.till > empty.from, true);
});

Deno.test("stretchesOf tells queued, running and waiting for release apart", () => {
  const run = aRun({ id: 1, assigned_at: text(0), started_at: text(2), held_since: text(5) });
  assert.deepEqual(stretchesOf(run, { span, now: at(10) }), [
    { is: "queued", left: 0, width: 0.2 },
    { is: "running", left: 0.2, width: 0.3 },
    { is: "held", left: 0.5, width: 0.5 },
  ]);
  const queued = aRun({ id: 2, assigned_at: text(5) });
  assert.deepEqual(stretchesOf(queued, { span, now: at(10) }), [
    { is: "queued", left: 0.5, width: 0.5 },
  ]);
});

Deno.test("stretchesOf shows earlier attempts where they are known, and that there were some", () => {
  const run = aRun({ id: 1, assigned_at: text(0), started_at: text(8), attempt: 2 });
  assert.equal(stretchesOf(run, { span, now: at(10) })[0]!.is, "earlier");
  const earlier = [{ attempt: 1, startedAt: text(1), endedAt: text(6) }];
  const shown = stretchesOf(run, { span, now: at(10), earlier });
  assert.deepEqual(shown.map(({ is }) => is), ["queued", "earlier", "running"]);
});

Deno.test("stretchesOf stays within the span", () => {
  const run = aRun({ id: 1, assigned_at: text(0), started_at: text(2), finished_at: text(20) });
  const later = { from: at(5), till: at(10) };
  assert.deepEqual(stretchesOf(run, { span: later, now: at(30) }), [
    { is: "running", left: 0, width: 1 },
  ]);
});

Deno.test("ticksOf has a few round times, however long it took", () => {
  const texts = (seconds: number) =>
    ticksOf({ from: 0, till: seconds * 1000 }).map((one) => one.text);
  assert.deepEqual(texts(1), ["0", "0.2 s", "0.4 s", "0.6 s", "0.8 s", "1 s"]);
  assert.deepEqual(texts(60), ["0", "10 s", "20 s", "30 s", "40 s", "50 s", "1 min"]);
  assert.deepEqual(texts(7200), ["0", "30 min", "1 h", "1 h 30 min", "2 h"]);
  assert.equal(texts(0.1).length <= 7 && texts(86_400 * 400).length <= 7, true);
});
