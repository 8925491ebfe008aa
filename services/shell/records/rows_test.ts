import assert from "node:assert/strict";
import { useTestPostgres } from "../../../tests/harness.ts";
import { memoryUsed } from "../../../tests/support/memory.ts";
import { prepareDatabases } from "../../../tests/support/shell.ts";
import { PAGE_ROWS } from "./rows.ts";
import { openSession, type Session } from "../session.ts";

const postgres = useTestPostgres();

async function inSession(work: (session: Session, said: string[]) => Promise<void>): Promise<void> {
  const urls = await postgres.newDatabases();
  await prepareDatabases(urls);
  const said: string[] = [];
  const session = await openSession({
    addresses: { databaseUrls: urls, broker: undefined, gatewayUrl: undefined },
    say: (line) => void said.push(line),
  });
  try {
    await work(session, said);
  } finally {
    await session.close();
  }
}

/** The value, and the milliseconds of the best of three tries: the machine may be busy. */
async function timed<Value>(work: () => Promise<Value>): Promise<[Value, number]> {
  let best = Infinity;
  let value: Value;
  for (let attempt = 0; attempt < 3; attempt++) {
    const start = performance.now();
    value = await work();
    best = Math.min(best, performance.now() - start);
  }
  return [value!, best];
}

const INSTANT_MS = 100;

Deno.test("a million results: one is found at once, all come as a first page that says so", async () => {
  await inSession(async ({ shell }, said) => {
    const { databases: { task: db }, models: { Result, Task } } = shell;
    await db`
      insert into task (name, description, image, job_id, collaboration_id, init_org_id, init_user_id)
      select 'task ' || n, '', 'image', n, 1, 1, 1 from generate_series(1, 1000) as n`;
    await db`
      insert into result (task_id, organization_id, status, result)
      select task, organization, 'completed', 'e30='
      from generate_series(1, 1000) as task, generate_series(1, 1000) as organization`;
    await db`analyze result`;

    const [one, byId] = await timed(() => Result.get(1));
    assert.equal(one?.id, 1);
    assert.ok(byId < INSTANT_MS, `get(1) took ${byId} ms`);
    const getBy =
      (Result as unknown as { getBy(...keys: number[]): Promise<{ id: number }> }).getBy;
    const [, byKey] = await timed(() => getBy(1000, 1000));
    assert.ok(byKey < INSTANT_MS, `getBy took ${byKey} ms`);
    const [, byName] = await timed(() => Task.findOne({ name: "task 999" }));
    assert.ok(byName < INSTANT_MS, `find took ${byName} ms`);

    const before = memoryUsed();
    const [page, all] = await timed(() => Result.get());
    assert.equal(page.length, PAGE_ROWS);
    assert.equal(page.more, true);
    assert.ok(all < 1000, `get() took ${all} ms`);
    assert.ok(memoryUsed() - before < 100e6);
    assert.match(said[0]!, /^These are the first 1,000 of about 1,000,000\. /);
    assert.equal((await Result.get({ offset: PAGE_ROWS, limit: 1 }))[0]?.id, PAGE_ROWS + 1);

    // What a list and a relation hold more than a page of can be had one by one.
    const task = (await Task.get(1))!;
    await db`update result set task_id = 1, organization_id = id where id <= 2500`;
    assert.equal((await task.results as unknown[]).length, PAGE_ROWS);
    const streams: [unknown, number][] = [
      [task.results, 2500],
      [Result.find({ task }), 2500],
      [Result.get(), 5000],
    ];
    for (const [streamed, expected] of streams) {
      let seen = 0;
      let last = 0;
      for await (const { id } of streamed as AsyncIterable<{ id: number }>) {
        assert.ok(id > last);
        last = id;
        if (++seen === 5000) break;
      }
      assert.equal(seen, expected);
    }
    assert.ok(memoryUsed() - before < 100e6);
  });
});

Deno.test("get() ends its page early when the records are large", async () => {
  await inSession(async ({ shell }, said) => {
    const { databases: { task: db }, models: { Result } } = shell;
    await db`
      insert into task (name, description, image, job_id, collaboration_id, init_org_id, init_user_id)
      values ('t', '', 'image', 1, 1, 1, 1)`;
    await db`
      insert into result (task_id, organization_id, result)
      select 1, n, repeat('x', 10 * 1024 * 1024) from generate_series(1, 5) as n`;
    const page = await Result.get();
    assert.equal(page.length, 3);
    assert.equal(page.more, true);
    assert.equal(said.length, 1);
    const seen: unknown[] = [];
    for await (const one of Result.each()) seen.push(one.id);
    assert.deepEqual(seen, [1, 2, 3, 4, 5]);
  });
});
