import assert from "node:assert/strict";
import { isPlainQuery } from "./plain_query.ts";

Deno.test("isPlainQuery() takes columns of a table or view", () => {
  for (
    const query of [
      "select * from patients",
      'SELECT id, "years in school"\nFROM clinic.patients;',
      "select id,age from main.visits",
    ]
  ) assert.ok(isPlainQuery(query), query);
});

Deno.test("isPlainQuery() refuses whatever else a query can do", () => {
  for (
    const query of [
      "select g::text as id, hiv from patients, generate_series(1, 100) g where name = 'p7'",
      "select * from patients where name = 'p7'",
      "select id, hiv from patients union all select id, hiv from patients",
      "select * from patients, patients",
      "select * from patients limit 1",
      "select id, 1/(1-hiv) from patients",
      "select cast(name as int) from patients",
      "select id id, hiv from patients",
      "select id, id from patients",
      "select current_user from patients",
      "select distinct id from patients",
      "select null from patients",
      "select id from patients tablesample system (1)",
      "select * from (select 1) t",
      "select * from patients -- where",
      "select * from patients; drop table patients",
      "select a.b from patients",
      "with p as (select 1) select * from p",
      "table patients",
      "",
    ]
  ) assert.ok(!isPlainQuery(query), query);
});
