/**
 * Whom the products of columns are about, beside all: answered, refused, and told to the ledger.
 */
import assert from "node:assert/strict";
import { readSelections } from "../../algorithms/sextant/selection.ts";
import { memoryTable, type Values } from "../../../../tests/support/memory_table.ts";
import { type Profile, PROFILES } from "../rules.ts";
import { answerCrossProducts } from "./cross_products.ts";
import { openSession } from "./session.ts";

const column = (of: (row: number) => number, n = 60) => Array.from({ length: n }, (_, i) => of(i));
const y = (row: number) => 100 + (row * 7919) % 997 / 8;

function open(columns: Record<string, Values>, profile: Profile) {
  return openSession(memoryTable(columns), { profile, persons: null, ...PROFILES[profile] });
}

Deno.test("guarded products are refused where a value, or what two columns differ in, is of one person", () => {
  for (const profile of ["datashield", "opensafely", "acro", "strict"] as const) {
    for (
      const one of [
        (row: number) => y(row) + (row === 7 ? 31.5 : 0),
        (row: number) => 3 - 7.3 * y(row) + (row === 7 ? 31.5 : 0),
        (row: number) => row === 7 ? 2 : row % 2,
      ]
    ) {
      const table = { y: column(y), one: column(one) };
      const told = answerCrossProducts(open(table, profile), { terms: ["y", "one"] });
      assert.deepEqual([told.products, told.withheld], [null, ["min_level"]], profile);
    }
  }
});

Deno.test("of guarded products the ledger hears who has which of few values, of weights too", () => {
  const table = {
    y: column(y),
    w: column((row) => row % 3 === 0 ? 2 : 1),
    c: column((row) => row % 3),
  };
  for (const asked of [{ terms: ["y", "c"] }, { terms: ["y"], weights: "w" }]) {
    const session = open(table, "strict");
    assert.ok(answerCrossProducts(session, asked).products);
    const rows = session.used.flatMap((one) => Array.from(readSelections(one, 60), String));
    const name = asked.weights ?? "c";
    for (const value of new Set(table[name as "c"])) {
      const having = Uint8Array.from(table[name as "c"], (one) => one === value ? 1 : 0);
      assert.ok(rows.includes(String(having)), `${name} = ${value}`);
    }
  }
});

Deno.test("guarded products with weights are of as many rows as are said, where counts are rounded", () => {
  const table = {
    ill: column((row) => row % 3 === 0 ? 1 : 0, 58),
    y: column(y, 58),
    one: column(() => 1, 58),
    some: column((row) => 1 + row % 7 / 10, 58),
  };
  const ask = (terms: string[], weights?: string) =>
    answerCrossProducts(open(table, "opensafely"), { terms, weights });
  const plain = ask(["ill"]);
  assert.equal(plain.n, 60);
  assert.deepEqual(ask(["ill"], "one"), plain);
  const sum = table.some.reduce((all, one) => all + one, 0);
  assert.ok(Math.abs(ask(["y"], "some").weight! - sum * 60 / 58) < 1e-9);
});
