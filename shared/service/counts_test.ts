import assert from "node:assert/strict";
import { createCounts } from "./counts.ts";
import { silentLogger } from "./log.ts";

Deno.test("createCounts() hands on each count once, and keeps what could not be kept", async () => {
  const kept: Record<string, number>[] = [];
  let well = false;
  const counts = createCounts({
    keep: (some) => well ? Promise.resolve(kept.push(some)) : Promise.reject(new Error("away")),
    log: silentLogger,
    everyMs: 1e9,
  });
  counts.add("a");
  counts.add("a");
  await counts.flush();
  assert.deepEqual(kept, []);
  well = true;
  counts.add("b");
  await counts.flush();
  await counts.flush();
  counts.add("a");
  await counts.stop();
  assert.deepEqual(kept, [{ a: 2, b: 1 }, { a: 1 }]);
});
