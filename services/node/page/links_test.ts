import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../../tests/harness.ts";
import { LINK_MS, linksFolder, makeLink, openLinks, useLink } from "./links.ts";

async function withLinks(use: (dataFolder: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await openLinks(folder.path);
    await use(folder.path);
  } finally {
    await folder.remove();
  }
}

Deno.test("a link lets in once, also of two that come with it at the same moment", async () => {
  await withLinks(async (folder) => {
    const [one, other] = [await makeLink(folder), await makeLink(folder)];
    assert.equal(one.length, 43);
    assert.equal(await useLink(folder, one), true);
    assert.equal(await useLink(folder, one), false);
    const both = await Promise.all([useLink(folder, other), useLink(folder, other)]);
    assert.deepEqual(both.toSorted(), [false, true]);
  });
});

Deno.test("a link is dead after ten minutes, with the agent that it was made for, and when it is none", async () => {
  await withLinks(async (folder) => {
    const key = await makeLink(folder);
    assert.equal(await useLink(folder, key, Date.now() + LINK_MS + 1000), false);
    const earlier = await makeLink(folder);
    await openLinks(folder);
    assert.equal(await useLink(folder, earlier), false);
    for (const none of ["", "../links", "x".repeat(100)]) {
      assert.equal(await useLink(folder, none), false);
    }
  });
});

Deno.test("what stands in the folder is no key, and for nobody else to read", async () => {
  await withLinks(async (folder) => {
    const key = await makeLink(folder);
    const [{ name } = { name: "" }] = await Array.fromAsync(Deno.readDir(linksFolder(folder)));
    assert.match(name, /^[0-9a-f]{64}$/);
    assert.equal(await useLink(folder, name), false);
    assert.equal((await Deno.stat(linksFolder(folder))).mode! & 0o777, 0o700);
    assert.equal((await Deno.stat(join(linksFolder(folder), name))).mode! & 0o777, 0o600);
    assert.ok(!name.includes(key));
    await Deno.chmod(linksFolder(folder), 0o777);
    await assert.rejects(useLink(folder, key), /is open to other accounts/);
  });
});

Deno.test(
  "another account can neither read nor make a link",
  { ignore: Deno.uid() !== 0 },
  async () => {
    await withLinks(async (folder) => {
      // As open as an owner could have made it.
      await Deno.chmod(folder, 0o755);
      const links = linksFolder(folder);
      await makeLink(folder);
      for (const script of [`ls ${links}`, `touch ${links}/x`, `ls ${folder}/page`]) {
        const { success } = await new Deno.Command("sh", { args: ["-c", script], uid: 65534 })
          .output();
        assert.equal(success, false, script);
      }
    });
  },
);
