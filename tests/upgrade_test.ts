import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { workForNode } from "../services/task/dispatch/work_for_node.ts";
import { begunAtNode } from "../services/task/store/result.ts";
import { newUserKey } from "../shared/broker/signing.ts";
import { HUB_SERVICES, type HubService } from "../shared/broker/subjects.ts";
import { silentLogger } from "../shared/service/log.ts";
import { checkSeals, NO_SEAL, sealAudit, sealDigest } from "../shared/storage/audit_seal.ts";
import { type Db, migrate, openDatabase } from "../shared/storage/db.ts";
import { useTestPostgres } from "./harness.ts";

const postgres = useTestPostgres();

/** The last migration of the release before. */
const BEFORE = 22;
const AGENT = "6f1c24a5-67c4-4c1e-8a6f-0d2a3d3c0001";
const BLOB = "6f1c24a5-67c4-4c1e-8a6f-0d2a3d3c0002";

/** What that release had in its tables while it was at work. */
const ROWS: Record<HubService, string> = {
  identity: `
    insert into organization (id, name, public_key) values (1, 'Clinic Alpha', 'a key'), (2, 'Clinic Beta', '');
    insert into "user" (id, username, password_hash, email, organization_id, otp_secret)
      values (1, 'alice', '$argon2id$of alice', 'Alice@Clinic.example', 1, 'sealed'),
        (2, 'bob', '$argon2id$of bob', 'bob@clinic.example', 2, null);
    insert into rule (id, name, operation, scope, description) values (1, 'task', 'create', 'organization', '');
    insert into role (id, name, organization_id) values (1, 'Researcher', 1);
    insert into role_rule values (1, 1);
    insert into user_role values (1, 1);
    insert into user_rule values (2, 1);
    insert into signing_key (kid, public_jwk, private_jwk) values ('one', '{"x": 1}', '{"d": 1}');
    insert into node_broker_key (node_id, public_key, issued_at) values (1, 'UNODE', now());
    insert into outbox (subject, payload) values ('event.user.created', '{}');`,
  collaboration: `
    insert into collaboration (id, name) values (1, 'Heart study');
    insert into collaboration_member values (1, 1), (1, 2);
    insert into study (id, name, collaboration_id) values (1, 'A part of it', 1);
    insert into study_member values (1, 2);
    insert into node (id, name, api_key_sha256, organization_id, collaboration_id, status)
      values (1, 'Alpha node', 'digest 1', 1, 1, 'online'), (2, 'Beta node', 'digest 2', 2, 1, 'offline');
    insert into node_config (node_id, key, value) values (1, 'allowed_algorithms', '["a"]');`,
  task: `
    insert into task (id, name, description, image, job_id, collaboration_id, init_org_id, init_user_id)
      values (1, 'Mean age', '', 'deno:average@1.0.0', 1, 1, 1, 1),
        (2, 'its share', '', 'deno:average@1.0.0', 1, 1, 1, 1), (3, 'over', '', 'image', 3, 1, 1, 1);
    update task set parent_id = 1 where id = 2;
    insert into task_database values (1, 0, 'default', '{"type":"csv"}');
    insert into result (id, task_id, organization_id, node_id, status, attempt, agent_id, input, started_at, finished_at, result, log)
      values (1, 1, 1, 1, 'active', 2, '${AGENT}', 'central', now(), null, null, null),
        (2, 2, 1, 1, 'pending', 1, null, 'partial', null, null, null, null),
        (3, 2, 2, 2, 'pending', 1, null, 'partial', null, null, null, null),
        (4, 3, 1, 1, 'completed', 1, '${AGENT}', 'in', now(), now(), 'its result', 'its log'),
        (5, 3, 2, 2, 'failed', 3, '${AGENT}', 'in', now(), now(), '', 'why');
    insert into node_agent (node_id, agent_id, hellos) values (1, '${AGENT}', 7);
    insert into result_log values (1, 2, 1, 'a line'), (1, 2, 2, 'another');
    insert into blob (id, owner, organization_id, size, sha256, result_id) values ('${BLOB}', 'node:1', 1, 3, 'digest', 4);
    insert into blob_chunk values ('${BLOB}', 0, '\\x010203');
    insert into stop_order (result_id, node_id) values (5, 2);
    insert into outbox (subject, payload) values ('event.task.created', '{"a": 1}'), ('dispatch.1', 'to a stream that is no more');
    select setval('run_id_seq', 3), setval('task_id_seq', 3), setval('result_id_seq', 5);`,
};

/** Recorded as every change is. */
const RECORD =
  `insert into audit (request_id, what, outcome, data) values ('r', 'task.created', 'done', '{"id": 1}')`;

/** The first seal of that release: of no record yet. */
async function sealNothing(db: Db): Promise<void> {
  const records_sha256 = createHash("sha256").digest("hex");
  const sealed_at = "2026-01-01T00:00:00.000Z";
  const seal = { number: 1, last_id: 0, records: 0, records_sha256, sealed_at };
  await db`insert into audit_seal ${db({ ...seal, sha256: sealDigest(NO_SEAL, seal) })}`;
}

/** What later releases have given up, with the reason for which nothing is lost. */
const GONE: Record<string, string[]> = {
  // Log-ins of before ended once: their tokens did not say of which they were.
  "identity.refresh_token": ["*"],
  "identity.user": ["otp_used_steps"],
  "collaboration.node": ["key_issued_at"],
  // Work that was not accepted is asked for, and no longer sent through a stream.
  "task.result": ["dispatches"],
};
const isGone = (table: string, row: Record<string, unknown>) =>
  table === "task.outbox" && String(row.subject).startsWith("dispatch.");

type Rows = Record<string, Record<string, unknown>[]>;

/** All rows of all tables of a service, each as JSON, but for what counts rows and migrations. */
async function allRows(db: Db, service: HubService): Promise<Rows> {
  const tables = await db<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = ${service} order by tablename`;
  const rows: Rows = {};
  for (const { name } of tables) {
    if (name === "row_count") continue;
    const found = await db<{ row: Record<string, unknown> }[]>`
      select to_jsonb(one) as row from ${db(name)} as one order by to_jsonb(one)::text`;
    rows[`${service}.${name}`] = found.map(({ row }) => row);
  }
  return rows;
}

async function definitions(db: Db, service: HubService): Promise<unknown> {
  return await db`
    select table_name, column_name, data_type, is_nullable, column_default
    from information_schema.columns where table_schema = ${service}
    order by table_name, column_name`;
}

async function withDatabases(
  work: (of: (service: HubService) => { db: Db; folder: URL }) => Promise<void>,
): Promise<void> {
  const urls = await postgres.newDatabases();
  const opened = Object.fromEntries(HUB_SERVICES.map((service) => {
    const db = openDatabase(urls[service], { schema: service, log: silentLogger, max: 2 });
    const folder = new URL(`../services/${service}/schema/`, import.meta.url);
    return [service, { db, folder }];
  })) as Record<HubService, { db: Db; folder: URL }>;
  try {
    await work((service) => opened[service]);
  } finally {
    for (const { db } of Object.values(opened)) await db.end();
  }
}

Deno.test("the tables of the release before, with work under way, are brought to this one's: nothing is lost, and twice changes nothing", () =>
  withDatabases(async (of) => {
    for (const service of HUB_SERVICES) {
      const { db, folder } = of(service);
      await migrate(db, folder, silentLogger, { upTo: BEFORE });
      await db.unsafe(ROWS[service]);
      await db.unsafe(RECORD);
      await sealNothing(db);
      const before = await allRows(db, service);

      await migrate(db, folder, silentLogger);
      const after = await allRows(db, service);
      for (const [table, rows] of Object.entries(before)) {
        const gone = GONE[table] ?? [];
        if (gone[0] === "*") continue;
        for (const row of rows.filter((row) => !isGone(table, row))) {
          const kept = Object.entries(row).filter(([column]) => !gone.includes(column));
          const found = after[table]?.find((one) =>
            kept.every(([column, value]) => JSON.stringify(one[column]) === JSON.stringify(value))
          );
          assert.ok(found, `${table} has lost ${JSON.stringify(row)}`);
        }
      }
      await sealAudit(db, new Date());
      const { problem, seals, unsealed } = await checkSeals(db);
      assert.deepEqual({ problem, seals, unsealed }, { problem: null, seals: 2, unsealed: 0 });
      const sealed = await allRows(db, service);

      const defined = await definitions(db, service);
      await migrate(db, folder, silentLogger);
      assert.deepEqual(await allRows(db, service), sealed);
      assert.deepEqual(await definitions(db, service), defined);
    }
  }));

Deno.test("work that the release before had given out goes on: what runs still runs, what nobody has begun is given out again", () =>
  withDatabases(async (of) => {
    const { db, folder } = of("task");
    await migrate(db, folder, silentLogger, { upTo: BEFORE });
    await db.unsafe(ROWS.task);
    await migrate(db, folder, silentLogger);
    const running = await begunAtNode(db, 1);
    assert.deepEqual(
      running.map(({ id, attempt, agent_id }) => ({ id, attempt, agent_id })),
      [{ id: 1, attempt: 2, agent_id: AGENT }],
    );
    const dispatchKey = newUserKey().seed;
    for (const [nodeId, result] of [[1, 2], [2, 3]] as const) {
      const work = await workForNode({ db, dispatchKey, now: () => new Date() }, nodeId, 0);
      assert.deepEqual(
        work.dispatches.map(({ text }) => JSON.parse(text).result_id),
        [result],
        `node ${nodeId}`,
      );
    }
  }));
