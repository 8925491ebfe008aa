import assert from "node:assert/strict";
import { readTable, TableError } from "./table.ts";

const encoder = new TextEncoder();
const table = (text: string) => readTable("penguins", encoder.encode(text));

Deno.test("readTable() knows columns, rows and types", () => {
  const penguins = table("species,mass,sex\nAdelie,3750,\nGentoo, 5.1e3 ,male\nNA,NaN,null\n");
  assert.deepEqual(penguins.columns, ["species", "mass", "sex"]);
  assert.equal(penguins.length, 3);
  assert.deepEqual(penguins.column("mass"), {
    name: "mass",
    type: "number",
    values: [3750, 5100, null],
  });
  assert.deepEqual(penguins.column("species").values, ["Adelie", "Gentoo", "NA"]);
  assert.deepEqual(penguins.column("sex"), {
    name: "sex",
    type: "text",
    values: [null, "male", "null"],
  });
});

Deno.test("Table.numeric() reads numbers and takes NA, NaN, null and nothing as missing", () => {
  assert.deepEqual(table("x\n1\n-2.5\n+.5\n1.\n1E-3\nNA\nnan\nNULL\n  \n").numeric("x"), [
    1,
    -2.5,
    0.5,
    1,
    0.001,
    null,
    null,
    null,
    null,
  ]);
});

Deno.test("Table.numeric() names the first offending row, but not what stands there", () => {
  for (const bad of ["secret", "0x10", "1,5", "Infinity", "1e999", "12 kg", "true"]) {
    assert.throws(
      () => table(`x,y\n1,1\nNA,1\n"${bad}",1\nworse,1\n`).numeric("x"),
      (error: Error) => {
        assert.ok(error instanceof TableError);
        assert.match(error.message, /"x" of the database "penguins" is not numeric: row 3/);
        assert.ok(!error.message.includes(bad), error.message);
        return true;
      },
    );
  }
});

Deno.test("Table.column() names the nearest and the available columns when there is no such column", () => {
  assert.throws(
    () => table("species,body_mass\n").column("body_mas"),
    /no column "body_mas"; did you mean "body_mass"\? It has: species, body_mass\./,
  );
  assert.throws(() => table("a,b\n").numeric("zzzzzzzz"), /no column "zzzzzzzz"\. It has: a, b\./);
  const many = Array.from({ length: 60 }, (_, index) => `column_${index}`).join(",");
  assert.throws(() => table(many).column("none"), /column_39 and 20 more\.$/);
});

Deno.test("readTable() says which database is not a CSV file, or not text", () => {
  assert.throws(() => table("a,b\n1\n"), /"penguins" is not a valid CSV file. Line 2/);
  assert.throws(
    () => readTable("penguins", new Uint8Array([0x61, 0xff, 0x0a])),
    /not text in UTF-8/,
  );
});
