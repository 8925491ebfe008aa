import assert from "node:assert/strict";
import { temporaryFolder } from "../../../tests/harness.ts";
import { newFile } from "./sink.ts";

const MODULE = import.meta.resolve("./sink.ts");

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

/** A process that has begun to write a backup; `kill` waits for its end. */
async function otherBackup(path: string): Promise<{ kill(): Promise<void> }> {
  const code = `
    import { newFile } from ${JSON.stringify(MODULE)};
    const writer = (await newFile(${JSON.stringify(path)})).getWriter();
    await writer.write(new TextEncoder().encode("keys"));
    console.log("written");
    await new Promise(() => setInterval(() => {}, 1e6));`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  return {
    async kill() {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    },
  };
}

async function write(path: string): Promise<void> {
  const writer = (await newFile(path)).getWriter();
  await writer.write(new TextEncoder().encode("keys"));
  await writer.close();
}

Deno.test("newFile() removes what a killed backup left beside it, and not what another one writes", async () => {
  const folder = await temporaryFolder();
  try {
    await Deno.writeTextFile(`${folder.path}/.of.somebody.part`, "else");
    const other = await otherBackup(`${folder.path}/one`);
    let draft: string[];
    try {
      draft = (await namesIn(folder.path)).filter((name) => name.startsWith(".one."));
      assert.equal(draft.length, 1);
      await write(`${folder.path}/two`);
      assert.deepEqual(await namesIn(folder.path), [".of.somebody.part", ...draft, "two"]);
    } finally {
      await other.kill();
    }
    assert.deepEqual(await namesIn(folder.path), [".of.somebody.part", ...draft, "two"], "left");
    await write(`${folder.path}/three`);
    assert.deepEqual(await namesIn(folder.path), [".of.somebody.part", "three", "two"]);
    assert.equal((await Deno.stat(`${folder.path}/three`)).mode! & 0o777, 0o600);
  } finally {
    await folder.remove();
  }
});
