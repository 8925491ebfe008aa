import assert from "node:assert/strict";
import { createResults, type Opening } from "./results.ts";

/** One task with one share, which ends while it is asked for: just before the run is answered. */
function endingMeanwhile(): Opening {
  let ended = false;
  async function run() {
    await Promise.resolve();
    ended = true;
    const places = { task: { id: 7 }, organization: { id: 5 }, node: { id: 6 } };
    return { id: 3, ...places, status: "completed", waiting: null, log: null };
  }
  function result() {
    const content = ended ? btoa(JSON.stringify(42)) : null;
    return { id: 3, result: content, blob_storage_used: false, cleanup_at: null };
  }
  const noun = (one: () => unknown) => ({
    get: async () => await one(),
    list: () => ({ all: async () => [await one()] }),
  });
  return {
    tasks: noun(() => ({ id: 7, collaboration: { id: 1 }, init_org: { id: 5 } })),
    collaborations: noun(() => ({ encrypted: false })),
    runs: noun(run),
    results: noun(result),
    sent: { idOf: () => undefined },
  } as unknown as Opening;
}

Deno.test("a share that ends while it is asked for has its result", async () => {
  const [outcome] = await createResults(endingMeanwhile()).of(7);
  assert.deepEqual([outcome?.result?.value, outcome?.reason], [42, undefined]);
  const content = await createResults(endingMeanwhile()).open(3);
  const [bytes] = await Array.fromAsync(content);
  assert.equal(new TextDecoder().decode(bytes), "42");
});
