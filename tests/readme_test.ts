/**
 * What the README tells newcomers to write is what the programs take.
 * @module
 */
import assert from "node:assert/strict";
import { libraryPackages } from "../services/node/algorithms/library.ts";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readNodeConfig } from "../services/node/config/config.ts";
import { readImportFile } from "../services/shell/import/file.ts";
import { temporaryFolder } from "./harness.ts";
import { createFederation, federate } from "./support/federation.ts";
import type { DisclosureRules } from "../services/node/algorithms/api.ts";
import { PROFILES } from "../services/node/disclosure/rules.ts";

const README = await Deno.readTextFile(new URL("../README.md", import.meta.url));

/** The first block of code of this language with `text` in it. */
function block(language: string, text: string): string {
  const blocks = [...README.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const found = blocks.find(([, name, code]) => name === language && code!.includes(text));
  assert.ok(found, `README has no ${language} with ${text}`);
  return found[2]!;
}

async function inFolder(work: (write: (name: string, text: string) => Promise<string>) => unknown) {
  const folder = await temporaryFolder();
  try {
    await work(async (name, text) => {
      const path = join(folder.path, name);
      await Deno.writeTextFile(path, text);
      return path;
    });
  } finally {
    await folder.remove();
  }
}

Deno.test("the README's study can be imported, with a key for each node", async () => {
  await inFolder(async (write) => {
    const path = await write("study.yaml", block("yaml", "organizations:"));
    const { collaborations, warnings } = await readImportFile(path, { strict: true });
    assert.deepEqual(warnings, []);
    const node = block("yaml", "server_url:");
    assert.ok(node.includes(collaborations[0]!.participants[0]!.api_key!));
  });
});

Deno.test("the README's node.yaml is one", async () => {
  await inFolder(async (write) => {
    await write("patients.csv", "age\n1\n");
    const path = await write("node.yaml", block("yaml", "server_url:"));
    assert.equal((await readNodeConfig(path, {})).api, "http://127.0.0.1:7601/api");
  });
});

Deno.test("the README's algorithm computes what it says", async () => {
  await inFolder(async (write) => {
    const path = await write("above@1.0.0.ts", block("ts", "interface Counts"));
    const algorithm = await import(pathToFileURL(path).href);
    const files = ["age\n41\nNA\n", "age\n70\n52\n"];
    const question = { column: "age", limit: 50 };
    assert.deepEqual(await federate(algorithm, "central", question, files), { above: 2, of: 3 });
  });
});

Deno.test("the README's regression is that of the pooled rows, under rules and without", async () => {
  await inFolder(async (write) => {
    const path = await write("line@1.0.0.ts", block("ts", "crossProducts"));
    const algorithm = await import(pathToFileURL(path).href);
    const rows = Array.from({ length: 60 }, (_, i) => [40 + i / 3, 100 + 0.7 * i + (i * i) % 7]);
    const csv = (part: number[][]) => `age,pressure\n${part.map((row) => row.join()).join("\n")}\n`;
    const files = [csv(rows.slice(0, 20)), csv(rows.slice(20, 58)), csv(rows.slice(58))];
    const fit = async (used: number[][], disclosure: DisclosureRules | null) => {
      const federation = await createFederation(files, {}, disclosure);
      const found = await federation.run(algorithm, "central", {
        x: "age",
        y: "pressure",
      }) as Record<string, number>;
      const mean = (column: number) =>
        used.reduce((sum, row) => sum + row[column]!, 0) / used.length;
      const product = (one: number, other: number) =>
        used.reduce((sum, row) => sum + (row[one]! - mean(one)) * (row[other]! - mean(other)), 0);
      const slope = product(0, 1) / product(0, 0);
      const truth = {
        n: used.length,
        average: mean(1),
        slope,
        intercept: mean(1) - slope * mean(0),
      };
      assert.deepEqual(Object.keys(found), Object.keys(truth));
      for (const [name, value] of Object.entries(truth)) {
        assert.ok(Math.abs(found[name]! - value) < 1e-10 * Math.abs(value), name);
      }
    };
    await fit(rows, null);
    // Two rows are too few to tell of: that organization has no part in it.
    await fit(rows.slice(0, 58), { profile: "datashield", persons: null, ...PROFILES.datashield });
  });
});

Deno.test("the README shows what an algorithm can reach as it is", async () => {
  const types = new URL("../services/node/algorithms/api.ts", import.meta.url);
  const shown = block("ts", "export interface Context");
  assert.ok((await Deno.readTextFile(types)).includes(shown));
});

Deno.test("the README lists the library, each algorithm with what it is for", async () => {
  const [, part] = /^## The library\n(.*?)^## /ms.exec(README)!;
  const listed = part!.replaceAll(/\n {2}/g, " ").split("\n").filter((line) =>
    line.startsWith("- ")
  );
  const packages = await libraryPackages();
  assert.deepEqual(
    listed,
    packages.map(({ description: { name, summary } }) => `- \`${name}\`: ${summary}`),
  );
});

Deno.test("the README's first commands name the Deno that is checked, and tasks that there are", async () => {
  const checked = await Deno.readTextFile(new URL("../.ci/run", import.meta.url));
  const version = /^deno_version=(\S+)$/m.exec(checked)?.[1];
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  const commands = [...block("sh", "task demo").matchAll(/^npx -y deno@(\S+) task (\w+)/gm)];
  assert.deepEqual(commands.map(([, named, task]) => [named, task]), [
    [version, "demo"],
    [version, "test"],
  ]);
  for (const [, , task] of commands) assert.ok(tasks[task!], task);
});

Deno.test("the README's program for the client has its types right", async () => {
  const program = block("ts", "createClient").replaceAll(
    "./services/",
    new URL("../services/", import.meta.url).href,
  );
  await inFolder(async (write) => {
    const path = await write("program.ts", program);
    const config = new URL("../deno.json", import.meta.url).pathname;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--config", config, path],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  });
});

Deno.test("the README's steps to an own algorithm lead there", async () => {
  const steps = block("sh", "algorithm new").replaceAll("\\\n", "").trim().split("\n");
  const main = new URL("../services/node/workshop/main.ts", import.meta.url).pathname;
  const folder = await temporaryFolder();
  try {
    for (const step of steps) {
      // As the shell reads it; "deno task" tells the program where it was typed.
      const script = step.replace("deno task algorithm", `"$DENO" run -A --quiet ${main}`);
      const { success, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", script],
        cwd: folder.path,
        env: { DENO: Deno.execPath(), INIT_CWD: folder.path },
      }).output();
      const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assert.ok(success, `${step}\n${text}`);
    }
    assert.ok((await Deno.stat(join(folder.path, "my-average@0.1.0.ts"))).isFile);
  } finally {
    await folder.remove();
  }
});
