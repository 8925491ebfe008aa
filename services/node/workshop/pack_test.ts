import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../../tests/harness.ts";
import { entryOf, pack } from "./pack.ts";

/** Packs a folder with these files. */
async function packed(files: Record<string, string>) {
  await using folder = await disposable();
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(join(folder.path, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(folder.path, name), text);
  }
  const { code, digest } = await pack(await entryOf(folder.path));
  return { text: new TextDecoder().decode(code), digest };
}

async function disposable() {
  const folder = await temporaryFolder();
  return { ...folder, [Symbol.asyncDispose]: folder.remove };
}

const run = async (text: string) =>
  await import(`data:text/javascript,${encodeURIComponent(text)}`);

Deno.test("pack() makes one file of an algorithm's own files, with the same digest everywhere", async () => {
  const files = {
    "algorithm.ts":
      `import type { Context } from "sextant/api.ts";\nimport { twice } from "./parts/twice.ts";\n` +
      `export function double(_: Context, x: number) { return twice(x); }`,
    "parts/twice.ts": "export const twice = (x: number): number => 2 * x;",
  };
  const [one, other] = [await packed(files), await packed(files)];
  assert.equal(one.digest, other.digest);
  assert.doesNotMatch(one.text, /import/);
  assert.equal((await run(one.text)).double(null, 21), 42);
});

Deno.test("pack() takes in what stands behind sextant/", async () => {
  const { text } = await packed({
    "algorithm.ts": `import { checkArguments } from "sextant/description.ts";
export const check = (kwargs: Record<string, unknown>) =>
  checkArguments("m", { arguments: { n: { type: "integer", label: "N", help: "N" } } }, { kwargs });`,
  });
  assert.deepEqual((await run(text)).check({ n: 3 }), { n: 3 });
  assert.match(text, /\/\/ from:sextant\/description\.ts/);
  assert.doesNotMatch(text, new RegExp(Deno.cwd()));
});

Deno.test("pack() takes in a package of plain JavaScript from the algorithm's folder", async () => {
  const { text } = await packed({
    "algorithm.ts":
      `import { half } from "halves";\nexport const quarter = (x: number) => half(half(x));`,
    "node_modules/halves/package.json": `{"name":"halves","version":"1.2.3","main":"lib/main.js"}`,
    "node_modules/halves/lib/main.js":
      `const by = require("./by.js");\nexports.half = (x) => x / by;`,
    "node_modules/halves/lib/by.js": "module.exports = 2;",
  });
  assert.equal((await run(text)).quarter(8), 2);
  assert.match(text, /halves@1\.2\.3\/lib\/main\.js/);
});

Deno.test("pack() refuses what the sandbox has not, and says where it stands", async () => {
  const cases: [string, RegExp][] = [
    ['import "node:fs";', /algorithm\.ts:1:8: Cannot import "node:fs": the sandbox has nothing/],
    ['import "fs";', /"fs": the sandbox has nothing of Node/],
    ['import "../other.ts";', /leads out of the algorithm's folder/],
    ['import "sextant/../api.ts";', /leads out of sextant/],
    ['import "npm:halves";', /write its bare name/],
    ['import "https://a.example/x.ts";', /write its bare name/],
    ['import "no-such-package-here";', /there is no such package/],
    ['export const x = () => import("./y.ts");', /imports nothing while it runs/],
    ["export const x = ;", /algorithm\.ts:1:18: Unexpected ";"/],
    ['export { x } from "./missing.ts";', /Could not resolve "\.\/missing\.ts"/],
  ];
  for (const [line, message] of cases) {
    await assert.rejects(packed({ "algorithm.ts": `${line}\nexport {};` }), { message });
  }
});

Deno.test("entryOf() says what is no algorithm", async () => {
  await using folder = await disposable();
  await assert.rejects(entryOf(folder.path), /has no algorithm\.ts/);
  await assert.rejects(entryOf(join(folder.path, "x.ts")), /There is no file or folder/);
});
