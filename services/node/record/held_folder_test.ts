import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../../tests/harness.ts";
import { makeHeldFolder, removeLeftFolders } from "./held_folder.ts";

const MODULE = import.meta.resolve("./held_folder.ts");

async function withParent(use: (parent: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await use(folder.path);
  } finally {
    await folder.remove();
  }
}

/** A process that holds a folder with a file in it; `kill` waits for its end. */
async function otherHolder(parent: string): Promise<{ path: string; kill(): Promise<void> }> {
  const code = `
    import { makeHeldFolder } from ${JSON.stringify(MODULE)};
    const { path } = await makeHeldFolder(${JSON.stringify(parent)}, "one-");
    Deno.writeTextFileSync(path + "/patients", "Ada");
    console.log(path);
    await new Promise(() => setInterval(() => {}, 1e6));`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  async function kill(): Promise<void> {
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
  }
  return { path: value!.trim(), kill };
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

Deno.test("a held folder stays while its process lives, and goes when that was killed", async () => {
  await withParent(async (parent) => {
    const other = await otherHolder(parent);
    try {
      await removeLeftFolders(parent, "one-");
      const own = await makeHeldFolder(parent, "one-");
      assert.deepEqual(await namesIn(other.path), ["lock", "patients"]);
      assert.equal((await Deno.stat(own.path)).mode! & 0o777, 0o700);
      await own.remove();
    } finally {
      await other.kill();
    }
    assert.deepEqual(await namesIn(other.path), ["lock", "patients"], "left");
    await removeLeftFolders(parent, "two-");
    assert.deepEqual(await namesIn(other.path), ["lock", "patients"], "another prefix");
    const own = await makeHeldFolder(parent, "one-");
    assert.deepEqual([join(parent, (await namesIn(parent)).join())], [own.path]);
    await own.remove();
    assert.deepEqual(await namesIn(parent), []);
  });
});

Deno.test("many who make held folders at once, and remove what is left, leave each other's alone", async () => {
  await withParent(async (parent) => {
    const made = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const folder = await makeHeldFolder(parent, "one-");
        await removeLeftFolders(parent, "one-");
        return folder;
      }),
    );
    for (const { path } of made) assert.deepEqual(await namesIn(path), ["lock"]);
    assert.equal((await namesIn(parent)).length, 40);
    for (const folder of made) await folder.remove();
    assert.deepEqual(await namesIn(parent), []);
  });
});

Deno.test("a folder that nobody could hold for a day goes, and no younger one", async () => {
  await withParent(async (parent) => {
    const dayAgo = new Date(Date.now() - 25 * 60 * 60 * 1000);
    for (const name of ["one-old", "one-new"]) await Deno.mkdir(join(parent, name));
    await Deno.writeTextFile(join(parent, "one-old", "patients"), "Ada");
    await Deno.utime(join(parent, "one-old"), dayAgo, dayAgo);
    await removeLeftFolders(parent, "one-");
    assert.deepEqual(await namesIn(parent), ["one-new"]);
  });
});
