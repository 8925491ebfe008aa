import assert from "node:assert/strict";
import { openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { useTestPostgres } from "../../tests/harness.ts";

const postgres = useTestPostgres();

Deno.test("setUpDatabase() gives each service a schema that the others cannot read", async () => {
  const urls = await postgres.newDatabases();
  const task = openDatabase(urls.task, { schema: "task", log: silentLogger, max: 1 });
  const identity = openDatabase(urls.identity, { schema: "identity", log: silentLogger, max: 1 });
  try {
    await task`create table secret (n int)`;
    await assert.rejects(identity`select * from task.secret`, /permission denied for schema task/);
    await assert.rejects(identity`create table task.intruder (n int)`, /permission denied/);
    await assert.rejects(identity`create table public.intruder (n int)`, /permission denied/);
    await assert.rejects(identity`create schema intruder`, /permission denied/);
    await assert.rejects(identity`set role sextant_task`, /permission denied/);
    await identity`create table own (n int)`;
  } finally {
    await task.end();
    await identity.end();
  }
});

Deno.test("setUpDatabase() is safe to do again", async () => {
  const first = await postgres.newDatabase("task");
  await postgres.newDatabase("task");
  const db = openDatabase(first, { schema: "task", log: silentLogger, max: 1 });
  try {
    assert.equal((await db`select 1 as one`).length, 1);
  } finally {
    await db.end();
  }
});
