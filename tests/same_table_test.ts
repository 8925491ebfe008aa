/**
 * The same files through v6's published tools in a container: the table that our reader makes of
 * each (its test holds it to `answers.json`), or a reason why not.
 * @module
 */
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { useTestStack } from "./harness.ts";
import { createSite, type Json } from "./site.ts";
import { useTestEngine } from "./support/container_engine.ts";
import { importPythonImage, PYTHON_IMAGE, pythonTest } from "./support/python_image.ts";

const stack = useTestStack();
const engine = useTestEngine();
const TESTDATA = new URL("../services/node/data/testdata/", import.meta.url).pathname;
/** Databases of one task: what names them must fit into it. */
const AT_ONCE = 16;

Deno.test(
  pythonTest("the sandbox and v6's tools make the same table of a file, or why not is known"),
  async () => {
    const answers: Json = JSON.parse(await Deno.readTextFile(join(TESTDATA, "answers.json")));
    const files = Object.keys(answers).filter((name) => name.endsWith(".csv"));
    const labels = files.map((name) => basename(name, ".csv"));
    const site = await createSite(stack(), {
      data: ["x\n1\n"],
      node: {
        container: { socket: engine().socket },
        policies: { allowed_algorithms: [PYTHON_IMAGE], require_algorithm_pull: false },
        databases: labels.map((label) => ({
          label,
          uri: join(TESTDATA, `${label}.csv`),
          type: "csv",
        })),
      },
    });
    await importPythonImage(engine());
    await site.startNode(site.members[0]!);
    const theirs: Json = {};
    for (let at = 0; at < labels.length; at += AT_ONCE) {
      const databases = labels.slice(at, at + AT_ONCE);
      const task = await site.post({ image: PYTHON_IMAGE, method: "tables", databases });
      const { status, runs, results } = await site.outcome(task.id, 120_000);
      assert.equal(status, "completed", JSON.stringify(runs));
      Object.assign(theirs, results[0]);
    }
    // A type's name is each side's own: names and values make the table. JSON has one zero.
    const table = (columns?: Json[]) =>
      JSON.stringify(columns?.map(([name, _type, ...values]) => [name, ...values]));
    for (const [at, file] of files.entries()) {
      const ours = table(answers[file].columns);
      const other = table(theirs[labels[at]!].columns);
      const said = `${file}: ${ours}, and of v6's tools ${other}`;
      assert.equal(ours !== other, answers[file].v6 !== undefined, said);
    }
  },
);
