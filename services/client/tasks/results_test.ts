import assert from "node:assert/strict";
import { createResults, type Opening } from "./results.ts";

/** One task with one share, which ends as soon as somebody has asked for either half of it. */
function endingMeanwhile(): Opening {
  let asked = 0;
  const run = () => ({
    id: 3,
    task: { id: 7 },
    organization: { id: 5 },
    node: { id: 6 },
    status: asked++ === 0 ? "active" : "completed",
    waiting: null,
    log: null,
  });
  const result = () => ({
    id: 3,
    result: asked++ === 0 ? null : btoa(JSON.stringify(42)),
    blob_storage_used: false,
    cleanup_at: null,
  });
  const of = (one: () => unknown) => ({
    get: () => Promise.resolve(one()),
    list: () => ({ all: () => Promise.resolve([one()]) }),
  });
  return {
    tasks: of(() => ({ id: 7, collaboration: { id: 1 }, init_org: { id: 5 } })),
    collaborations: of(() => ({ encrypted: false })),
    runs: of(run),
    results: of(result),
    sent: { idOf: () => undefined },
  } as unknown as Opening;
}

Deno.test("a share that ends while it is asked for has its result", async () => {
  const [outcome] = await createResults(endingMeanwhile()).of(7);
  assert.deepEqual(outcome?.result?.value, 42);
  const content = await createResults(endingMeanwhile()).open(3);
  const [bytes] = await Array.fromAsync(content);
  assert.equal(new TextDecoder().decode(bytes), "42");
});
