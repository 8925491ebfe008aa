import assert from "node:assert/strict";
import { join } from "node:path";
import { withWorkbench } from "../workshop/workbench.ts";
import { readSelf } from "./read_self.ts";

/** What a file with this text says of itself. */
async function ask(source: string, withinMs?: number) {
  return await withWorkbench(async (bench) => {
    const path = join(bench.folder, "algorithm.js");
    await Deno.writeTextFile(path, source);
    const { signal } = new AbortController();
    const options = { ...bench, signal, ...(withinMs === undefined ? {} : { withinMs }) };
    return await readSelf({ name: "it.js", path }, options);
  });
}

Deno.test("readSelf() gives what the file exports, and calls none of it", async () => {
  const source = `
    export const description = { name: "it", more: [1, null] };
    export function central() { throw new Error("called"); }
    export const partial = () => { throw new Error("called"); };
    export const limit = 3;`;
  assert.deepEqual(await ask(source), {
    description: { name: "it", more: [1, null] },
    functions: ["central", "partial"],
  });
  assert.deepEqual(await ask("export function all() {}"), {
    description: null,
    functions: ["all"],
  });
});

Deno.test("readSelf() says why a file tells nothing, and waits for none for ever", async () => {
  await assert.rejects(ask("export function ("), /it\.js cannot be loaded.*SyntaxError/s);
  await assert.rejects(ask("await Deno.readTextFile('/etc/passwd')"), /sandbox does not allow it/);
  await assert.rejects(
    ask(`export const description = { summary: "x".repeat(2 ** 20) };`),
    /The result is too large/,
  );
  await assert.rejects(ask("export const description = { is: () => 1 };"), /JSON cannot hold/);
  await assert.rejects(
    ask("await new Promise(() => setInterval(() => {}, 1000));", 1500),
    /killed/,
  );
});
