import assert from "node:assert/strict";
import { ColumnValues, compose, Fragment, Identifier, Json } from "./sql.ts";

function sql(strings: TemplateStringsArray, ...values: unknown[]): Fragment {
  return new Fragment(strings, values);
}

Deno.test("compose() makes parameters of values and text of pieces, numbered through", () => {
  const inner = sql`b = ${2} and c = any(${[3, 4]})`;
  assert.deepEqual(compose(sql`select 1 where a = ${"x"} and ${inner} or d = ${null}`), {
    text: "select 1 where a = $1 and b = $2 and c = any($3) or d = $4",
    values: ["x", 2, [3, 4], null],
    lasting: true,
  });
});

Deno.test("compose() says the type of what Postgres could not guess", () => {
  const at = new Date("2026-01-02T03:04:05.678Z");
  const { text, values } = compose(
    sql`${at} ${true} ${10n} ${new Uint8Array([1])} ${new Json({ a: [1] })}`,
  );
  assert.equal(text, "$1::timestamptz $2::boolean $3::bigint $4::bytea $5::jsonb");
  assert.deepEqual(values.slice(0, 3), ["2026-01-02T03:04:05.678Z", true, 10n]);
  assert.deepEqual([...values[3] as Uint8Array], [1]);
  assert.equal(values[4], '{"a":[1]}');
});

Deno.test("compose() quotes names, and lets none of them end early", () => {
  assert.equal(compose(sql`select ${new Identifier("task.id")}`).text, 'select "task"."id"');
  assert.equal(compose(sql`select ${new Identifier('a" or "b')}`).text, 'select "a"" or ""b"');
  assert.equal(compose(sql`select ${new Identifier("a", "b")}`).text, 'select "a", "b"');
});

Deno.test("compose() writes rows to insert and changes to set", () => {
  const rows = new ColumnValues([{ a: 1, 'b"': "x" }, { a: 2, 'b"': null }]);
  assert.deepEqual(compose(sql`insert into t ${rows} returning id`), {
    text: 'insert into t ("a", "b""") values ($1, $2), ($3, $4) returning id',
    values: [1, "x", 2, null],
    lasting: false,
  });
  const one = new ColumnValues({ a: 1, b: 2 });
  const both = compose(sql`insert into t ${one} on conflict do update set ${one} where id = ${5}`);
  assert.equal(
    both.text,
    'insert into t ("a", "b") values ($1, $2) on conflict do update set "a" = $3, "b" = $4 where id = $5',
  );
  assert.equal(both.lasting, true);
});

Deno.test("compose() refuses what is undefined, and rows that are none", () => {
  assert.throws(() => compose(sql`select ${undefined}`), /a value is undefined/);
  assert.throws(() => compose(sql`insert into t ${new ColumnValues({ a: undefined })}`), TypeError);
  assert.throws(() => new ColumnValues([]), /there are none/);
});
