import assert from "node:assert/strict";
import type { Context } from "./api.ts";
import { askParts, readCount, readFields, readList, readNumber, readRecord } from "./parts.ts";
import { readSquare, readText } from "./parts.ts";

function contextOf(results: unknown[], asked: unknown[] = []): Context {
  return {
    organization: { id: 3, name: "a" },
    node: { id: 3, name: "a's node" },
    task: { id: 1, runId: 1 },
    settings: {},
    disclosure: null,
    table: () => assert.fail("no table is read"),
    organizations: () => Promise.resolve([{ id: 3, name: "a" }, { id: 1, name: "b" }]),
    createTask: (task) => Promise.resolve({ id: asked.push(task) }),
    results: () =>
      Promise.resolve(
        results.map((result, i) => ({ organization_id: [3, 1][i]!, status: "completed", result })),
      ),
    log() {},
  };
}
const question = { organizations: undefined, method: "m", kwargs: { a: 1 }, read: readCount };

Deno.test("askParts() asks all organizations and gives their parts by id", async () => {
  const asked: unknown[] = [];
  assert.deepEqual(await askParts(contextOf([7, 8], asked), question), [
    { organization: 1, part: 8 },
    { organization: 3, part: 7 },
  ]);
  const input = { method: "m", kwargs: { a: 1 } };
  assert.deepEqual(asked, [{ organizations: [3, 1], input, name: "m" }]);
});

Deno.test("askParts() asks nobody where the condition is none", async () => {
  const asked: unknown[] = [];
  await assert.rejects(
    askParts(contextOf([7, 8], asked), { ...question, kwargs: { where: "age >" } }),
    /^TypeError: The condition "where" cannot be used, at character 6: a column or a value must/,
  );
  assert.deepEqual(asked, []);
});

Deno.test("askParts() names the organization whose part is none", async () => {
  await assert.rejects(
    askParts(contextOf([7, -1]), question),
    /^TypeError: Organization 1 returned something other than its part: a count is missing\.$/,
  );
});

Deno.test("askParts() takes null for withheld only of an organization that says it withheld something", async () => {
  const read = (part: unknown) => part;
  const of = (second: unknown) => askParts(contextOf([{ n: 1 }, second]), { ...question, read });
  const said = [{ output: "n", rule: "min_cell", values: 1 }];
  for (const part of [{ n: null }, { n: [{ mean: null }], withheld: [] }]) {
    await assert.rejects(
      of(part),
      /^TypeError: Organization 1 returned something other than its part: a number is missing/,
    );
  }
  assert.equal((await of({ n: null, withheld: said })).length, 2);
  assert.equal((await of({ n: 2, problem: null })).length, 2, "which says that there is none");
});

Deno.test("the readers of parts refuse what is something else", () => {
  const refused: [(value: unknown) => unknown, unknown[]][] = [
    [readNumber, [NaN, Infinity, null, "1"]],
    [readCount, [1.5, -1, null, 2 ** 60]],
    [readText, [null, 1]],
    [(value) => readList(value, readNumber, 2), [[1], [1, "2"], {}, null]],
    [(value) => readSquare(value, 2), [[[1, 2], [3]], [[1, 2]]]],
    [(value) => readRecord(value, readNumber), [[], null, { a: "1" }]],
    [(value) => readFields<{ n: number }>(value, { n: readCount }), [{}, [], { n: -1 }]],
  ];
  for (const [read, values] of refused) {
    for (const value of values) assert.throws(() => read(value), { name: "PartError" });
  }
  assert.deepEqual(readFields<{ n: number }>({ n: 2, more: 1 }, { n: readCount }), { n: 2 });
});
