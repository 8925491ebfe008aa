import assert from "node:assert/strict";
import { createLogger } from "../../../shared/service/log.ts";
import type { ToldAlgorithm } from "../../../shared/node_protocol/algorithms.ts";
import { TOLD } from "../../../tests/support/algorithms.ts";
import { waitFor } from "../../../tests/harness.ts";
import { tellAlgorithms } from "./algorithms.ts";

Deno.test("tellAlgorithms() tells what is new, says nothing twice, and goes on after a refusal", async () => {
  let there: ToldAlgorithm[] = [TOLD];
  let looked = 0;
  let refuse = true;
  const told: unknown[] = [];
  const lines: string[] = [];
  const stop = new AbortController();
  const telling = tellAlgorithms({
    offered: () => {
      looked++;
      return Promise.resolve(there);
    },
    hub: {
      insist(path, schema, { method, body }) {
        told.push([method, path, body]);
        if (refuse) return Promise.reject(new Error("not known here"));
        return Promise.resolve(schema.parse({ msg: "kept" }));
      },
    },
    nodeId: 3,
    everyMs: 1,
    log: createLogger("node", { write: (line) => lines.push(line) }),
    signal: stop.signal,
  });
  await waitFor(() => looked > 3, { what: "some rounds" });
  assert.deepEqual(told, [["PUT", "/node/3/algorithms", { algorithms: [TOLD] }]]);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /not known here/);
  refuse = false;
  there = [];
  await waitFor(() => told.length === 2, { what: "the change to be told" });
  assert.deepEqual(told[1], ["PUT", "/node/3/algorithms", { algorithms: [] }]);
  stop.abort(new Error("stopping"));
  await telling;
});
