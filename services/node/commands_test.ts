import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../tests/harness.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

/** A folder with a configuration in it, and the commands as they are typed in that folder. */
async function withNode(
  work: (
    folder: string,
    type: (...args: string[]) => Promise<{ code: number; text: string }>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await Deno.writeTextFile(
      join(folder.path, "node.yaml"),
      "api_key: k\nserver_url: http://127.0.0.1:1\n",
    );
    await work(folder.path, async (...args) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", MAIN, ...args],
        env: { INIT_CWD: folder.path },
      }).output();
      const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      return { code, text: text.trimEnd() };
    });
  } finally {
    await folder.remove();
  }
}

Deno.test("audit verify says when there is nothing to verify", async () => {
  await withNode(async (folder, type) => {
    const verify = ["audit", "verify", "--config", "node.yaml"];
    const absent = await type(...verify);
    assert.equal(absent.code, 1);
    assert.match(absent.text, /node-data\/audit\.log: there is no such file\. An agent that has/);

    await Deno.mkdir(join(folder, "node-data"));
    await Deno.writeTextFile(join(folder, "node-data/audit.log"), "");
    const empty = await type(...verify);
    assert.equal(empty.code, 1);
    assert.match(empty.text, /audit\.log: is empty\./);

    const mistyped = await type(...verify, "--expect", "abc");
    assert.equal(mistyped.code, 2);
    assert.match(mistyped.text, /^--expect must be a digest as audit verify prints it/);
  });
});

Deno.test("check --explain names the file that cannot be read, and what is wrong in it", async () => {
  await withNode(async (folder, type) => {
    const explain = ["check", "--config", "node.yaml", "--explain", "task.json"];
    const absent = await type(...explain);
    assert.equal(absent.code, 1);
    assert.match(absent.text, /^The task cannot be read from \S+\/task\.json: No such file/);
    await Deno.writeTextFile(join(folder, "task.json"), "{");
    assert.match((await type(...explain)).text, /^The task cannot be read from \S+\/task\.json: /);
    await Deno.writeTextFile(join(folder, "task.json"), `{"imag": "x"}`);
    const { text } = await type(...explain);
    assert.match(text, /^The task is not as --help shows it:\n.*Unrecognized key: "imag"/);
  });
});
