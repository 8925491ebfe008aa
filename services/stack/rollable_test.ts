import assert from "node:assert/strict";
import { contracting } from "./rollable.ts";

Deno.test("contracting() lets pass what only adds to the tables", () => {
  for (
    const sql of [
      "create table a (id integer primary key, b text not null, unique (b));",
      "alter table a add column b text;",
      "alter table a add column b integer not null default 0, add column c text default '' not null;",
      "create index on a (b); -- drop table a",
      "alter table a alter column b drop not null; drop index a_b_idx; insert into a values (1);",
    ]
  ) assert.equal(contracting(sql), undefined, sql);
});

Deno.test("contracting() names the statement that the version before could not go on with", () => {
  for (
    const sql of [
      "drop table a",
      "alter table a drop column b",
      "alter table a rename column b to c",
      "alter table a alter column b set not null",
      "alter table a alter column b type bigint",
      "alter table a alter b set data type bigint",
      "alter table a add column b text not null",
      "alter table a add b text not null",
      "alter table a add constraint c check (b > 0)",
      "create unique index on a (b)",
      "delete from a where b",
      "alter table a alter column b drop default",
    ]
  ) assert.equal(contracting(`create table z (y text);\n${sql};\nselect 1;`), sql);
});
