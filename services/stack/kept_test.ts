import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../tests/harness.ts";
import { keepMade } from "./kept.ts";

async function withParent(use: (parent: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await use(folder.path);
  } finally {
    await folder.remove();
  }
}

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name);

Deno.test("keepMade() lets many make the same at once: each has the one that was first", async () => {
  await withParent(async (parent) => {
    const launchers = 7;
    let drafts = 0;
    let finished = 0;
    const all = Promise.withResolvers<void>();
    const folders = await Promise.all(
      Array.from({ length: launchers }, (_, launcher) =>
        keepMade(parent, async (draft) => {
          if (++drafts === launchers) all.resolve();
          await all.promise;
          await Deno.writeTextFile(join(draft, "by"), `${launcher}`);
        }, () => Promise.resolve(void finished++))),
    );
    assert.equal(new Set(folders).size, 1);
    assert.equal(finished, 1);
    assert.deepEqual(namesIn(folders[0]!), ["by"]);
    assert.deepEqual(namesIn(parent).map((name) => join(parent, name)), [folders[0]]);
  });
});

Deno.test("keepMade() says why it failed, keeps nothing of it, and makes it the next time", async () => {
  await withParent(async (parent) => {
    const make = (draft: string) => Deno.writeTextFile(join(draft, "made"), "");
    const ill = () => Promise.reject(new Error("ill"));
    await assert.rejects(keepMade(parent, ill), /^Error: ill$/);
    await assert.rejects(keepMade(parent, make, ill), /^Error: ill$/);
    assert.deepEqual(namesIn(parent), []);
    assert.deepEqual(namesIn(await keepMade(parent, make)), ["made"]);
  });
});

Deno.test("keepMade() removes what a killed launcher has half made, and not what another makes now", async () => {
  await withParent(async (parent) => {
    const before = new Date(Date.now() - 2 * 60 * 60 * 1000);
    for (const name of [".draft-old", ".draft-new"]) await Deno.mkdir(join(parent, name));
    await Deno.utime(join(parent, ".draft-old"), before, before);
    const folder = await keepMade(parent, () => Promise.resolve());
    assert.deepEqual(
      namesIn(parent).map((name) => join(parent, name)).sort(),
      [join(parent, ".draft-new"), folder].sort(),
    );
  });
});
