import assert from "node:assert/strict";
import { asQuery, isQuery } from "./query.ts";

const query = () => asQuery(Promise.resolve({ name: "One" }), "db.Organization.get(…)");
const message = (rest: string) => ({
  name: "ShellError",
  message: `db.Organization.get(…) is not there yet: put await before it${rest}`,
});

Deno.test("asQuery() gives what can be awaited like the promise itself", async () => {
  assert.deepEqual(await query(), { name: "One" });
  assert.equal(await query().then((one) => one.name), "One");
  assert.deepEqual(await Promise.all([query(), query()]), [{ name: "One" }, { name: "One" }]);
  await assert.rejects(asQuery(Promise.reject(new Error("no")), "x"), /^Error: no$/);
});

Deno.test("asQuery() gives what says, when it is used for its answer, that an await is missing", () => {
  // deno-lint-ignore no-explicit-any -- as it is typed at the prompt
  const one = query() as any;
  assert.throws(() => one.name, message(", as in (await db.Organization.get(…)).name"));
  assert.throws(() => one.length, message(", as in (await db.Organization.get(…)).length"));
  assert.throws(() => one.filter(() => true), /await/);
  assert.throws(() => one.name = "Two", message(", then set name"));
  assert.throws(() => [...one], message(""));
  assert.throws(() => `${one}`, message(""));
  assert.throws(() => JSON.stringify(one), /await/);
  assert.match(Deno.inspect(one), /^\(db\.Organization\.get\(…\) is not there yet: put await/);
});

Deno.test("isQuery() knows queries from other promises", () => {
  assert.ok(isQuery(query()));
  assert.ok(!isQuery(Promise.resolve()));
  assert.ok(!isQuery(undefined));
});
