/**
 * The library at a site with fewer persons than its rules let anything rest on: what any method
 * returns, and what becomes of it, is the same whoever they are and however few.
 * @module
 */
import assert from "node:assert/strict";
import { libraryPackages } from "../../services/node/algorithms/library.ts";
import { PROFILES } from "../../services/node/disclosure/rules.ts";
import { readCases } from "../algorithms/prove.ts";
import { type Algorithm, createFederation } from "../support/federation.ts";

const PACKAGES = new URL("../../services/node/algorithms/packages/", import.meta.url);

for (const { description: { name } } of await libraryPackages()) {
  Deno.test(`${name} tells nothing of one person or two at a site of their own`, async () => {
    const cases = await readCases([name]);
    const { csv, arguments: kwargs } = cases.toSorted((a, b) => b.csv.length - a.csv.length)[0]!;
    const [head, first, second, ...others] = csv.trimEnd().split("\n");
    const half = others.length >> 1;
    const file = (rows: (string | undefined)[]) => `${[head, ...rows].join("\n")}\n`;
    const large = [file(others.slice(0, half)), file(others.slice(half))];
    const rules = { profile: "datashield", persons: null, ...PROFILES.datashield } as const;
    const algorithm: Algorithm = await import(new URL(`${name}/algorithm.ts`, PACKAGES).href);
    const told = [];
    for (const few of [[first], [second], [first, second]]) {
      const parts: string[] = [];
      const federation = await createFederation(
        [...large, file(few)],
        {},
        rules,
        (method, one) => {
          parts.push(`${method}: ${JSON.stringify(one.result)}`);
        },
      );
      const result = await federation.run(algorithm, "central", kwargs)
        .catch((error: Error) => `${error.name}: ${error.message}`);
      told.push({ result, parts });
    }
    assert.ok(told[0]!.parts.length >= 3, "all sites were asked");
    assert.deepEqual(told[0], told[1], "whoever they are");
    assert.deepEqual(told[0], told[2], "however few");
  });
}
