import assert from "node:assert/strict";
import { passwordProblems } from "./password.ts";

Deno.test("passwordProblems() names each shortcoming", () => {
  assert.deepEqual(passwordProblems("Secret-1"), []);
  assert.equal(passwordProblems("short").length, 4);
  assert.equal(passwordProblems("x".repeat(129)).length, 4);
});
