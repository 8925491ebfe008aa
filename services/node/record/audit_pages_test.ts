import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../../tests/harness.ts";
import { linesBackwards } from "./audit_pages.ts";

async function withFile(content: string, use: (path: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    const path = join(folder.path, "audit.log");
    await Deno.writeTextFile(path, content);
    await use(path);
  } finally {
    await folder.remove();
  }
}

Deno.test("linesBackwards gives every line once, the last first, and goes on where it was left", async () => {
  // Longer than a piece, one longer than two of them, and letters of several bytes at their
  // borders.
  const lines = Array.from({ length: 400 }, (_, n) => `${n} ${"ä€".repeat(n === 7 ? 60_000 : n)}`);
  await withFile(`${lines.join("\n")}\n`, async (path) => {
    const all = await Array.fromAsync(linesBackwards(path));
    assert.deepEqual(all.map(({ text }) => text), lines.toReversed());
    assert.equal(all.at(-1)!.at, 0);
    for (const which of [0, 5, 391, 392, 393, 398]) {
      const rest = await Array.fromAsync(linesBackwards(path, all[which]!.at));
      assert.deepEqual(rest, all.slice(which + 1));
    }
  });
});

Deno.test("linesBackwards leaves out what is being written, and knows an empty log", async () => {
  await withFile("one\ntwo\nthr", async (path) => {
    const texts = (await Array.fromAsync(linesBackwards(path))).map(({ text }) => text);
    assert.deepEqual(texts, ["two", "one"]);
  });
  await withFile("", async (path) => {
    assert.deepEqual(await Array.fromAsync(linesBackwards(path)), []);
  });
  await withFile("\n\na\n", async (path) => {
    const texts = (await Array.fromAsync(linesBackwards(path))).map(({ text }) => text);
    assert.deepEqual(texts, ["a", "", ""]);
  });
});
