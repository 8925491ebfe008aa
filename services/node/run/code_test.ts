import assert from "node:assert/strict";
import { codeNamedIn, otherCodeReason } from "./code.ts";

const HEX = "0123456789abcdef".repeat(4);

Deno.test("codeNamedIn() reads the digest of addresses and of images, and of nothing else", () => {
  assert.equal(codeNamedIn(`deno:https://a.example/a.ts#sha256=${HEX}`), `sha256:${HEX}`);
  assert.equal(
    codeNamedIn(`deno:https://a.example/a.ts#sha256=${HEX.toUpperCase()}`),
    `sha256:${HEX}`,
  );
  assert.equal(codeNamedIn(`registry.example/average:4@sha256:${HEX}`), `sha256:${HEX}`);
  for (
    const reference of ["deno:average@1.0.0", "average:4", `average@sha256:${HEX.slice(1)}`, HEX]
  ) assert.equal(codeNamedIn(reference), undefined, reference);
});

Deno.test("otherCodeReason() names the algorithm, both codes and what to do", () => {
  const own = `sha256:${"a".repeat(64)}`;
  const job = `sha256:${"b".repeat(64)}`;
  const reason = otherCodeReason("deno:average@1.0.0", { own, job });
  for (const part of ["deno:average@1.0.0", `here it is ${own}`, `the job's is ${job}`, "post"]) {
    assert.ok(reason.includes(part), part);
  }
});
