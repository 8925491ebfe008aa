import assert from "node:assert/strict";
import { createPauses } from "./pauses.ts";

Deno.test("createPauses() lets others go on when they have waited for so long, and not before", async () => {
  let others = 0;
  setTimeout(() => others++);
  const rarely = createPauses(60_000);
  for (let step = 0; step < 1000; step++) await rarely();
  assert.equal(others, 0);
  const always = createPauses(0);
  for (let step = 0; others === 0; step++) {
    assert.ok(step < 10_000);
    await always();
  }
});
