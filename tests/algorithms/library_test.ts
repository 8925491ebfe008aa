/**
 * The library in the real sandbox: each algorithm as nodes run it, packed, on the first case of its
 * proof, with three sites of rows and one of none.
 * @module
 */
import assert from "node:assert/strict";
import { libraryPackages, packedFromLibrary } from "../../services/node/algorithms/library.ts";
import { DEFAULT_READ } from "../../services/node/data/options.ts";
import { createTables } from "../../services/node/data/tables.ts";
import { simulate, type Site } from "../../services/node/workshop/simulate.ts";
import { LIMITS } from "../../services/node/workshop/workbench.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { withSandbox } from "../support/sandboxed.ts";
import { compareNumbers, failures, readCases } from "./prove.ts";
import { SPLITS } from "./splits.ts";

const SPLIT = "3 sites in turn, one more empty";

for (const { name, description } of await libraryPackages()) {
  Deno.test(`deno:${name} runs in the sandbox and gives the reference's numbers there`, async () => {
    const one = (await readCases([description.name]))[0];
    assert.ok(one, "it has no case in the reference");
    await withSandbox(async ({ sandbox, folder }) => {
      const path = `${folder}/${name}.js`;
      await Deno.writeFile(path, (await packedFromLibrary(name, folder))!);
      const tables = createTables({ folder: `${folder}/tables`, namesMayLeave: true });
      const split = one.splits?.includes(SPLIT) === false ? one.splits[0]! : SPLIT;
      const files = SPLITS[split]!(one.csv, one.sort);
      const sites = await Promise.all(files.map(async (csv, i): Promise<Site> => {
        const path = `${folder}/${i}.csv`;
        await Deno.writeTextFile(path, csv);
        const source = { type: "csv" as const, path, options: DEFAULT_READ };
        const columns = await tables.read(source, { steps: [] });
        return {
          name: `site ${i + 1}`,
          databases: [{ label: "default", type: "columns", path: columns }],
        };
      }));
      const { runs: [run], result } = await simulate(
        { method: "central", args: [], kwargs: one.arguments },
        {
          sandbox,
          algorithm: { name: `${name}.js`, path, image: `deno:${name}` },
          sites,
          policy: {},
          limits: LIMITS,
          log: silentLogger,
          signal: new AbortController().signal,
        },
      );
      assert.equal(run.status, "completed", String(run.reason));
      assert.deepEqual(failures(compareNumbers(one, split, result)), []);
    });
  });
}
