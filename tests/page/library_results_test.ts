/**
 * How the page shows the results of the node's own algorithms, computed here.
 * @module
 */
import assert from "node:assert/strict";
import { type Method, readResult } from "../../services/page/results/read/read_result.ts";
import { readCases } from "../algorithms/prove.ts";
import { SPLITS } from "../algorithms/splits.ts";
import { createFederation } from "../support/federation.ts";

/** The pictures that there are of the first case of each algorithm; those without are tables. */
const PICTURES: Record<string, string[]> = {
  compare_means: ["forest"],
  correlation: ["forest"],
  cox: ["forest", "survival"],
  crosstab: ["shares"],
  glm: ["forest"],
  histogram: ["histogram"],
  incidence_rates: ["forest"],
  k_means: ["profile"],
  kaplan_meier: ["survival"],
  meta_analysis: ["forest"],
  mixed_model: ["forest"],
  pca: ["bars", "profile"],
  quantiles: ["forest", "quantiles"],
  summary: ["bars"],
};

Deno.test("readResult() shows every part of every result of the library as a table or a picture", async () => {
  const seen = new Set<string>();
  for (const { algorithm, csv, sort, splits, arguments: args } of await readCases()) {
    if (seen.has(algorithm)) continue;
    seen.add(algorithm);
    const split = splits?.[0] ?? "3 sites in turn, one more empty";
    const federation = await createFederation(SPLITS[split]!(csv, sort));
    const packages = "../../services/node/algorithms/packages";
    const module = await import(`${packages}/${algorithm}/algorithm.ts`);
    const value = await federation.run(module, "central", args);
    const method = module.description.methods.central as Method;
    const { pieces, empty } = readResult(value, { method, args });
    const trees = pieces.filter(({ is }) => is === "tree").map(({ title }) => title);
    assert.deepEqual(trees, [], algorithm);
    const pictures = pieces.flatMap((piece) =>
      piece.is === "table" && piece.picture ? [piece.picture.is] : []
    );
    assert.deepEqual(
      [...new Set(pictures)].filter((one) => !PICTURES[algorithm]!.includes(one)),
      [],
      algorithm,
    );
    assert.equal(pictures.length > 0, PICTURES[algorithm]!.length > 0, algorithm);
    const names = new Set([
      ...pieces.flatMap((piece) =>
        piece.is === "table" && piece.name === undefined
          ? piece.table.rows.map(([name]) => String(name).split(".")[0]!)
          : [piece.name!]
      ),
      ...empty,
    ]);
    const missing = Object.keys(value as object).filter((name) => !names.has(name));
    const inTables = algorithm === "crosstab" ? ["rows", "columns", "notes"] : ["notes"];
    assert.deepEqual(missing.filter((name) => !inTables.includes(name)), [], algorithm);
  }
  assert.deepEqual([...seen].sort(), Object.keys(PICTURES).sort());
});
