import assert from "node:assert/strict";
import { failures, prove } from "./prove.ts";

Deno.test("the library gives the reference's numbers on every split", async () => {
  const proofs = await prove();
  assert.ok(proofs.length > 1000, `${proofs.length} numbers`);
  const shown = failures(proofs).map(({ algorithm, data, split, number, reference, ours }) =>
    `${algorithm}, ${data}, ${split}: ${number} is ${ours}, not ${reference}`
  );
  assert.deepEqual(shown, []);
});
