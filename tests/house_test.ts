/**
 * What holds for the house as a whole: no circle of imports, no file that is too long, rooms only
 * in shared/, comments within the width.
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MOST_LINES = 400;
const WIDTH = 100;

function sourcesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder)).flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return sourcesIn(path);
    return /\.tsx?$/.test(name) && !name.endsWith("_test.ts") ? [path] : [];
  });
}

const texts = new Map(
  ["services", "shared"].flatMap((folder) => sourcesIn(join(ROOT, folder)))
    .map((path) => [path, Deno.readTextFileSync(path)]),
);
const named = (path: string) => relative(ROOT, path);

/** The modules that a module cannot run without; types are gone by then. */
function importsOf(path: string): string[] {
  const found = texts.get(path)!.matchAll(/^(?:import|export)(?! type)[^;]*? from "(\.[^"]+)"/gm);
  return Array.from(found, ([, to]) => join(dirname(path), to!));
}

/** The modules of one circle, if there is any. */
function circle(): string[] | undefined {
  const done = new Set<string>();
  const way: string[] = [];
  function visit(path: string): string[] | undefined {
    if (way.includes(path)) return way.slice(way.indexOf(path));
    if (done.has(path) || !texts.has(path)) return undefined;
    way.push(path);
    for (const to of importsOf(path)) {
      const found = visit(to);
      if (found) return found;
    }
    way.pop();
    done.add(path);
  }
  for (const path of texts.keys()) {
    const found = visit(path);
    if (found) return found;
  }
}

Deno.test("no module of the product imports itself by way of others", () => {
  assert.ok(texts.size > 500);
  assert.ok(Array.from(texts.keys(), importsOf).flat().length > texts.size);
  assert.deepEqual(circle()?.map(named), undefined);
});

Deno.test("no file of the product is longer than a reader can hold in mind", () => {
  const long = Array.from(texts).filter(([, text]) => text.split("\n").length - 1 > MOST_LINES);
  assert.deepEqual(long.map(([path]) => named(path)), []);
});

Deno.test("shared/ holds rooms, and the version", () => {
  const files = Array.from(Deno.readDirSync(join(ROOT, "shared"))).filter((one) => one.isFile);
  assert.deepEqual(files.map(({ name }) => name), ["version.ts"]);
});

Deno.test("comments keep to the formatter's width", () => {
  const wide = Array.from(texts).flatMap(([path, text]) =>
    text.split("\n").flatMap((line, at) =>
      /^\s*(\*|\/\/|\/\*\*) /.test(line) && line.length > WIDTH && !/deno-|https?:/.test(line)
        ? [`${named(path)}:${at + 1}`]
        : []
    )
  );
  assert.deepEqual(wide, []);
});

Deno.test("no program is started with all that the launcher or an agent knows", () => {
  // What puts the hub's programs together, and checks the owner's algorithm, is ours alone.
  const ours = ["services/stack/programs/kept.ts", "services/node/workshop/check.ts"];
  const open = Array.from(texts).filter(([path, text]) => {
    const calls = text.split("new Deno.Command(").slice(1);
    return /services\/(stack|node)\//.test(path) &&
      calls.some((call) =>
        !call.slice(0, 1500).split(/\.(?:output|spawn)\(\)/)[0]!.includes("clearEnv")
      );
  });
  assert.deepEqual(open.map(([path]) => named(path)).sort(), ours.toSorted());
});
