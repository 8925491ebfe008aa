import assert from "node:assert/strict";
import type { Description } from "../algorithms/sextant/description.ts";
import { storeEntry } from "./store_entry.ts";

const words = { label: "L", help: "H" };

Deno.test("storeEntry() has the types, defaults and functions of v6's store", () => {
  const description: Description = {
    name: "x",
    version: "1.0.0",
    summary: "S",
    methods: {
      central: {
        label: "X",
        help: "Does it",
        arguments: {
          columns: { type: "columns", ...words },
          level: { type: "number", default: 0.95, ...words },
          family: { type: "choice", choices: ["a", "b"], default: "a", ...words },
          bins: { type: "choice", choices: [5, 10], ...words },
          organizations: { type: "organizations", optional: true, ...words },
        },
        outputs: [],
      },
      partial: { help: "P", internal: true, arguments: {}, outputs: [] },
    },
  };
  const entry = storeEntry(description, { image: "deno:x@1.0.0", codeUrl: "https://a.example" });
  assert.deepEqual(entry.functions.map(({ name, type, standalone }) => [name, type, standalone]), [
    ["central", "central", true],
    ["partial", "federated", false],
  ]);
  const facts = entry.functions[0]!.arguments.map((one) => [
    one.name,
    one.type,
    one.has_default_value,
    one.default_value,
    one.allowed_values,
  ]);
  assert.deepEqual(facts, [
    ["columns", "column_list", false, null, undefined],
    ["level", "float", true, "0.95", undefined],
    ["family", "string", true, "a", ["a", "b"]],
    ["bins", "integer", false, null, [5, 10]],
    ["organizations", "organization_list", true, null, undefined],
  ]);
  assert.deepEqual(entry.functions[0]!.databases, [{ name: "default" }]);
});
