import assert from "node:assert/strict";
import { type HubService } from "../broker/subjects.ts";
import { silentLogger } from "../service/log.ts";
import { useTestPostgres } from "../../tests/harness.ts";
import { type Db, migrate, openDatabase } from "./db.ts";
import { keptCount } from "./row_count.ts";

const postgres = useTestPostgres();
const COMMON = new URL("./schema/", import.meta.url);
const PREVIOUS = new URL("../../tests/support/previous_schema/", import.meta.url);

interface Case {
  /** What the migration of the previous release, which has changed since, is called. */
  changed: string;
  /** Adds a row to each counted table. */
  fill: (db: Db, name: string) => Promise<unknown>;
  counted: string[];
}

const CASES: Record<HubService, Case> = {
  identity: {
    changed: "011_row_count.sql",
    counted: ["organization", "user", "role"],
    async fill(db, name) {
      const [row] = await db`insert into organization (name) values (${name}) returning id`;
      await db`
        insert into "user" (username, password_hash, email, organization_id)
        values (${name}, 'x', ${`${name}@example.org`}, ${row!.id})`;
      await db`insert into role (name, description, organization_id)
        values (${name}, '', ${row!.id})`;
    },
  },
  collaboration: {
    changed: "010_row_count.sql",
    counted: ["collaboration", "study", "node"],
    async fill(db, name) {
      const [row] = await db`insert into collaboration (name) values (${name}) returning id`;
      await db`insert into study (name, collaboration_id) values (${name}, ${row!.id})`;
      await db`insert into collaboration_member (collaboration_id, organization_id)
        values (${row!.id}, 1)`;
      await db`
        insert into node (name, api_key_sha256, organization_id, collaboration_id)
        values (${name}, ${name}, 1, ${row!.id})`;
    },
  },
  task: {
    changed: "003_counts.sql",
    counted: ["task", "result"],
    async fill(db, name) {
      const [row] = await db`
        insert into task (name, description, image, job_id, collaboration_id, init_org_id, init_user_id)
        values (${name}, '', 'image', 1, 7, 1, 1) returning id`;
      await db`
        insert into result (task_id, organization_id, node_id) values (${row!.id}, 1, 1)`;
    },
  },
};

function schemaOf(service: HubService): URL {
  return new URL(`../../services/${service}/schema/`, import.meta.url);
}

/**
 * The schema as the release before kept its counts: every migration up to number 20, with that one
 * as it was.
 */
async function migrateToPrevious(db: Db, service: HubService): Promise<void> {
  const found: { name: string; file: URL }[] = [];
  for (const folder of [COMMON, schemaOf(service)]) {
    for await (const { name } of Deno.readDir(folder)) {
      const file = name === CASES[service].changed
        ? new URL(`${service}_${name}`, PREVIOUS)
        : new URL(name, folder);
      if (/^\d{3}_.*\.sql$/.test(name) && Number(name.slice(0, 3)) <= 20) {
        found.push({ name, file });
      }
    }
  }
  found.sort((a, b) => a.name < b.name ? -1 : 1);
  await db`create table migration (
    number integer primary key, name text not null, applied_at timestamptz not null default now())`;
  for (const { name, file } of found) {
    await db.unsafe(await Deno.readTextFile(file));
    await db`insert into migration (number, name) values (${Number(name.slice(0, 3))}, ${name})`;
  }
}

async function kept(db: Db, table: string): Promise<number> {
  const [row] = await db`select ${keptCount(db, table, "all")}::integer as rows`;
  return row!.rows;
}

for (const [service, { fill, counted }] of Object.entries(CASES) as [HubService, Case][]) {
  Deno.test(`keep_row_count() takes over a database of the release before, in ${service}`, async () => {
    const db = openDatabase(await postgres.newDatabase(service), {
      schema: service,
      log: silentLogger,
    });
    await migrateToPrevious(db, service);
    for (let n = 0; n < 5; n++) await fill(db, `before ${n}`);
    await migrate(db, schemaOf(service), silentLogger);
    for (const table of counted) assert.equal(await kept(db, table), 5, table);
    await fill(db, "after");
    for (const table of counted) assert.equal(await kept(db, table), 6, table);
    const left = await db`select 1 from pg_proc
      where proname = 'count_rows' and pronamespace = current_schema()::regnamespace`;
    assert.equal(left.length, 0);
    const names = await db`select name from migration where number in (21, 22) order by number`;
    assert.deepEqual(names.map(({ name }) => name), ["021_row_count.sql", "022_row_count.sql"]);
    await migrate(db, schemaOf(service), silentLogger); // does nothing again
    for (const table of counted) assert.equal(await kept(db, table), 6, table);
    await db.end();
  });
}

Deno.test("keptCount() counts by group, and what is deleted no more", async () => {
  const db = openDatabase(await postgres.newDatabase("task"), {
    schema: "task",
    log: silentLogger,
  });
  await migrate(db, schemaOf("task"), silentLogger);
  for (let n = 0; n < 3; n++) await CASES.task.fill(db, `task ${n}`);
  const of = async (groups: number[]) => {
    const [row] = await db`select ${keptCount(db, "result", groups)}::integer as rows`;
    return row!.rows;
  };
  assert.deepEqual([await of([7]), await of([7, 8]), await of([8]), await of([])], [3, 3, 0, 0]);
  await db`delete from task where name = 'task 1'`;
  assert.equal(await of([7]), 2);
  await db`truncate task cascade`;
  assert.deepEqual([await kept(db, "task"), await kept(db, "result")], [0, 0]);
  await db.end();
});
