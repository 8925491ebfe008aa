import assert from "node:assert/strict";
import { join } from "node:path";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { createLogger } from "../../../shared/service/log.ts";
import { libraryPackages, packedFromLibrary } from "../algorithms/library.ts";
import type { Policy } from "../policy/policy.ts";
import type { RunSpec } from "../sandbox/run_spec.ts";
import { LIMITS, withWorkbench } from "../workshop/workbench.ts";
import { createOffered } from "./offered.ts";

const DESCRIBED = `export const description = {
  name: "tally", version: "1.0.0", summary: "Counts.",
  methods: {
    central: { help: "All", arguments: {}, outputs: [] },
    partial: { help: "One", arguments: {}, outputs: [], internal: true },
  },
};
export const central = () => 1, partial = () => 2, unnamed = () => 3;
`;
const PLAIN = "export function all() {}\nexport function some() {}\n";

interface Place {
  folder: string;
  /** Names of what was asked in the sandbox. */
  asked: string[];
  lines: string[];
  offered: (policy?: Policy, options?: {
    /** What can be fetched, by address. */
    responses?: Record<string, string>;
    library?: boolean;
  }) => ReturnType<typeof createOffered>;
}

async function withPlace(use: (place: Place) => Promise<void>): Promise<void> {
  await withWorkbench(async ({ sandbox, folder: dataFolder }) => {
    const folder = join(dataFolder, "folder");
    await Deno.mkdir(folder);
    await Deno.writeTextFile(join(folder, "tally@1.0.0.ts"), DESCRIBED);
    await Deno.writeTextFile(join(folder, "plain@2.0.0.ts"), PLAIN);
    const asked: string[] = [];
    const lines: string[] = [];
    await use({
      folder,
      asked,
      lines,
      offered: (policy = {}, { responses = {}, library = false } = {}) =>
        createOffered({
          config: {
            algorithmFolders: [folder],
            algorithmLibrary: library,
            dataFolder,
            limits: LIMITS,
            policy,
          },
          sandbox: {
            start(spec: RunSpec) {
              asked.push(spec.algorithm.name);
              return sandbox.start(spec);
            },
          },
          wayOut: {
            fetch: (url) =>
              Promise.resolve(
                responses[String(url)] === undefined
                  ? new Response("", { status: 404 })
                  : new Response(responses[String(url)]),
              ),
          },
          log: createLogger("offered", { write: (line) => lines.push(line) }),
          signal: new AbortController().signal,
        }),
    });
  });
}

Deno.test("createOffered() tells what the rules let run, with digest and methods, and asks each file once", async () => {
  await withPlace(async ({ offered, folder, asked }) => {
    const all = await offered()();
    assert.deepEqual(all.map(({ image, digest, methods }) => [image, digest, methods]), [
      ["deno:plain@2.0.0", `sha256:${await sha256Hex(PLAIN)}`, ["all", "some"]],
      ["deno:tally@1.0.0", `sha256:${await sha256Hex(DESCRIBED)}`, ["central", "partial"]],
    ]);
    assert.equal(all[0]!.description, null);
    assert.equal(all[1]!.description!.methods.partial!.internal, true);
    // Another agent on the same folder, too.
    assert.deepEqual(await offered()(), all);
    assert.equal(asked.length, 2);

    const rules: [Policy, [string, string[]][]][] = [
      [{ allowedAlgorithms: [] }, []],
      [{ allowedAlgorithms: ["deno:tally"] }, [["deno:tally@1.0.0", ["central", "partial"]]]],
      [{ allowedStores: ["https://store.example"] }, []],
      [
        { algorithms: [{ name: "deno:plain@2.0.0", methods: { some: {} } }] },
        [["deno:plain@2.0.0", ["some"]]],
      ],
      // There is a rule for another version of it.
      [{ allowedAlgorithms: ["deno:plain@2.0.0"], algorithms: [{ name: "deno:plain@1.0.0" }] }, []],
    ];
    for (const [policy, expected] of rules) {
      const told = await offered(policy)();
      assert.deepEqual(told.map(({ image, methods }) => [image, methods]), expected);
    }

    const look = offered();
    await look();
    await Deno.writeTextFile(join(folder, "plain@2.0.0.ts"), "export function other() {}\n");
    await Deno.remove(join(folder, "tally@1.0.0.ts"));
    assert.deepEqual((await look()).map(({ methods }) => methods), [["other"]]);
  });
});

Deno.test("createOffered() tells of a listed address under its digest", async () => {
  await withPlace(async ({ offered, asked }) => {
    const digest = await sha256Hex(DESCRIBED);
    const url = "https://algorithms.example/tally.js";
    const image = `deno:${url}#sha256=${digest}`;
    const lost = `deno:https://algorithms.example/lost.js#sha256=${"0".repeat(64)}`;
    const told = await offered({ allowedAlgorithms: [image, lost] }, {
      responses: { [url]: DESCRIBED },
    })();
    assert.deepEqual(told.map((one) => [one.image, one.digest]), [[image, `sha256:${digest}`]]);
    assert.equal(asked.length, 1);
  });
});

Deno.test("createOffered() leaves out what cannot be loaded, says so once, and tells the rest", async () => {
  await withPlace(async ({ offered, folder, lines, asked }) => {
    await Deno.writeTextFile(join(folder, "broken@1.0.0.ts"), "export function (");
    const wrong = DESCRIBED.replace('"1.0.0"', '"one"');
    await Deno.writeTextFile(join(folder, "wrong@1.0.0.ts"), wrong);
    const look = offered();
    for (const _ of [1, 2]) {
      const told = await look();
      assert.deepEqual(told.map(({ image }) => image), [
        "deno:plain@2.0.0",
        "deno:tally@1.0.0",
        "deno:wrong@1.0.0",
      ]);
      assert.equal(told[2]!.description, null);
      assert.deepEqual(told[2]!.methods, ["central", "partial", "unnamed"]);
    }
    assert.equal(lines.filter((line) => line.includes("broken@1.0.0")).length, 1);
    assert.equal(asked.length, 4);
  });
});

Deno.test("createOffered() reads what the library says, without running it, under the digest that runs", async () => {
  await withPlace(async ({ offered, folder, asked }) => {
    // What the owner has put into the folder stands before the library's.
    await Deno.writeTextFile(join(folder, "glm@1.0.0.ts"), PLAIN);
    const told = await offered({ allowedAlgorithms: ["deno:glm", "deno:summary"] }, {
      library: true,
    })();
    assert.deepEqual(told.map(({ image }) => image), ["deno:glm@1.0.0", "deno:summary@1.0.0"]);
    assert.deepEqual(asked, ["glm@1.0.0.ts"]);
    const [own, summary] = told;
    assert.equal(own!.description, null);
    assert.equal(
      summary!.digest,
      `sha256:${await sha256Hex((await packedFromLibrary("summary@1.0.0", folder))!)}`,
    );
    const { description } = (await libraryPackages()).find(({ name }) => name === "summary@1.0.0")!;
    assert.deepEqual(summary!.description, description);
    assert.deepEqual(summary!.methods, Object.keys(description.methods));
  });
});
