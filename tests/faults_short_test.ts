/**
 * The short form of `deno task faults`. In a file of its own: stopping one stack ends all that its
 * process has started.
 * @module
 */
import assert from "node:assert/strict";
import { runFaults } from "./faults/faults.ts";

Deno.test("200 runs under 20 faults: none is lost, none is done twice, none is left lying", async () => {
  const lines: string[] = [];
  const summary = await runFaults({
    seed: 20,
    runs: 200,
    faults: 20,
    nodes: 3,
    pauseMs: 4000,
    say: (line) => void lines.push(`${new Date().toISOString().slice(11, 19)} ${line}`),
  });
  assert.deepEqual(summary.wrong, [], lines.join("\n"));
  assert.equal(Object.values(summary.statuses).reduce((sum, count) => sum + count, 0), 200);
});
