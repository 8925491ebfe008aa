import assert from "node:assert/strict";
import { createLife } from "./life.ts";
import { createLogger } from "./log.ts";

Deno.test("createLife() ends what was started in the reverse order, one after the other", async () => {
  const lines: string[] = [];
  const life = createLife(createLogger("test", { write: (line) => lines.push(line) }));
  const ended: string[] = [];
  life.onStop("first", () => ended.push("first"));
  life.onStop("second", async () => {
    await Promise.resolve();
    ended.push("second");
  });
  await life.stop();
  assert.deepEqual(ended, ["second", "first"]);
  assert.deepEqual(lines, []);
});

Deno.test("createLife() ends the other parts when one fails to end, and names that one", async () => {
  const lines: string[] = [];
  const life = createLife(createLogger("test", { write: (line) => lines.push(line) }));
  const ended: string[] = [];
  life.onStop("first", () => ended.push("first"));
  life.onStop("broken", () => Promise.reject(new Error("stuck")));
  await life.stop();
  assert.deepEqual(ended, ["first"]);
  assert.match(lines.join("\n"), /"part":"broken".*stuck/);
});

Deno.test("createLife() ends each part once, however often it is stopped", async () => {
  const life = createLife(createLogger("test", { write() {} }));
  let ended = 0;
  life.onStop("part", () => ended++);
  await life.stop();
  await life.stop();
  assert.equal(ended, 1);
});
