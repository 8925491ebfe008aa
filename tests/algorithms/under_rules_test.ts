/**
 * The library at sites whose owners have set rules on what may leave: what differs from the numbers
 * of the pooled rows is what the result says was withheld.
 * @module
 */
import assert from "node:assert/strict";
import { libraryPackages } from "../../services/node/algorithms/library.ts";
import { problemsOfOutputs } from "../../services/node/algorithms/sextant/outputs.ts";
import { type Profile, PROFILES } from "../../services/node/disclosure/rules.ts";
import { type Algorithm, createFederation } from "../support/federation.ts";
import type { Output } from "../../services/node/algorithms/sextant/description.ts";
import { compareNumbers, failures, readCases } from "./prove.ts";
import { SPLITS } from "./splits.ts";

const PACKAGES = new URL("../../services/node/algorithms/packages/", import.meta.url);

interface Asked {
  name: string;
  method?: string;
  kwargs: Record<string, unknown>;
  files: string[];
  profile?: Profile | "none";
  persons?: string;
}

// deno-lint-ignore no-explicit-any
type Result = any;

/** Runs an algorithm of the library at sites that are files, and checks what leaves each. */
async function run(
  { name, method = "central", kwargs, files, profile = "datashield", persons }: Asked,
): Promise<{ result: Result; parts: { method: string; part: Result }[] }> {
  const parts: { method: string; part: Result }[] = [];
  const rules = profile === "none"
    ? null
    : { profile, persons: persons ?? null, ...PROFILES[profile] };
  const federation = await createFederation(files, {}, rules, (method, { result, withheld }) => {
    parts.push({ method, part: structuredClone(result) });
    const undeclared = withheld.filter(({ rule }) => rule === "other" || rule === "rests_on");
    assert.deepEqual(undeclared, [], `${name} ${method}`);
  });
  try {
    const algorithm: Algorithm = await import(new URL(`${name}/algorithm.ts`, PACKAGES).href);
    return { result: await federation.run(algorithm, method, kwargs), parts };
  } finally {
    await federation.close();
  }
}

Deno.test("every output of the library's methods that read rows says what it rests on, and none is other", async () => {
  for (const { name, description } of await libraryPackages()) {
    assert.deepEqual(problemsOfOutputs(description), [], name);
    const others = (outputs: readonly Output[]): string[] =>
      outputs.flatMap((one) => [
        ...one.kind === "other" ? [one.name] : [],
        ...others(one.each ?? []),
      ]);
    for (const [method, { rows, outputs, internal }] of Object.entries(description.methods)) {
      if (rows !== "none") assert.deepEqual(others(outputs), [], `${name} ${method}`);
      assert.equal(rows === "none", !internal, `${name} ${method} reads rows`);
    }
  }
});
for (const profile of ["datashield", "opensafely", "acro", "strict"] as const) {
  Deno.test(`under ${profile} every value in every part of the library is declared`, async () => {
    for (const { description: { name } } of await libraryPackages()) {
      const cases = await readCases([name]);
      const one = cases.toSorted((a, b) => b.csv.length - a.csv.length)[0];
      const split = "3 sites in turn, one more empty";
      const chosen = one!.splits?.includes(split) === false ? one!.splits[0]! : split;
      const files = SPLITS[chosen]!(one!.csv, one!.sort);
      const asked = { name, kwargs: one!.arguments, files, profile };
      // Asserts in `run`; what an analysis then lacks is told.
      const found = await run(asked).catch((error: Error) => {
        assert.match(`${error.stack}`, /rules on what may leave|withholds its part|too few/, name);
      });
      for (const { part } of found?.parts ?? []) assert.ok(Array.isArray(part.withheld), name);
      if (!found) continue;
      // Whoever is told nothing was withheld has the numbers of the pooled rows.
      if (found.result.withheld.length > 0) continue;
      assert.deepEqual(failures(compareNumbers(one!, chosen, found.result)), [], name);
    }
  });
}
