import assert from "node:assert/strict";
import { useTestPostgres } from "../../tests/harness.ts";
import { checkSeals, SEAL_AT_LEAST_EVERY_MS, sealAudit, sealDigest, seals } from "./audit_seal.ts";
import { type Db, migrate, openDatabase } from "./db.ts";
import { silentLogger } from "../service/log.ts";

const postgres = useTestPostgres();
const NOW = new Date("2026-03-24T10:00:00.000Z");

async function withRecord(work: (db: Db) => Promise<void>): Promise<void> {
  const db = openDatabase(await postgres.newDatabase("task"), {
    schema: "task",
    log: silentLogger,
  });
  try {
    await migrate(db, new URL("../../services/task/schema/", import.meta.url), silentLogger);
    await work(db);
  } finally {
    await db.end();
  }
}

async function record(db: Db, ...whats: string[]): Promise<void> {
  for (const what of whats) {
    await db`insert into audit (what, outcome, data) values (${what}, 'done', '{"b": 1, "a": "ü"}')`;
  }
}

/** Does to the table what its triggers refuse: as somebody does who owns the database. */
async function tamper(db: Db, statement: string): Promise<void> {
  await db.begin(async (tx) => {
    await tx`alter table audit disable trigger user`;
    await tx`alter table audit_seal disable trigger user`;
    await tx.unsafe(statement);
    await tx`alter table audit enable trigger user`;
    await tx`alter table audit_seal enable trigger user`;
  });
}

Deno.test("sealAudit() covers each record once, and each seal the one before", async () => {
  await withRecord(async (db) => {
    assert.equal(await sealAudit(db, NOW), undefined);
    await record(db, "a", "b");
    const first = await sealAudit(db, NOW);
    assert.deepEqual([first?.number, first?.records], [1, 2]);
    assert.equal(await sealAudit(db, NOW), undefined);
    await record(db, "c");
    const second = await sealAudit(db, NOW);
    assert.deepEqual([second?.number, second?.records], [2, 1]);
    assert.equal(second!.sha256, sealDigest(first!.sha256, second!));
    assert.deepEqual(await seals(db, { after: 0, limit: 10 }), [first, second]);
    assert.deepEqual(await seals(db, { newest: 1 }), [second]);
    await record(db, "d");
    assert.deepEqual(await checkSeals(db), {
      seals: 2,
      records: 3,
      unsealed: 1,
      sha256: second!.sha256,
      problem: null,
    });
  });
});

Deno.test("sealAudit() seals a record in which nothing happens now and then, for those who watch", async () => {
  await withRecord(async (db) => {
    const later = (ms: number) => new Date(NOW.getTime() + ms);
    assert.equal(await sealAudit(db, later(SEAL_AT_LEAST_EVERY_MS)), undefined, "nothing yet");
    await record(db, "a");
    const first = await sealAudit(db, NOW);
    assert.equal(await sealAudit(db, later(SEAL_AT_LEAST_EVERY_MS - 1)), undefined);
    const empty = await sealAudit(db, later(SEAL_AT_LEAST_EVERY_MS));
    assert.deepEqual([empty?.number, empty?.records, empty?.last_id], [2, 0, first!.last_id]);
    await record(db, "b");
    await sealAudit(db, later(SEAL_AT_LEAST_EVERY_MS + 1));
    const { seals, records, problem } = await checkSeals(db);
    assert.deepEqual({ seals, records, problem }, { seals: 3, records: 2, problem: null });
  });
});

Deno.test("sealAudit() by two replicas at once makes one seal", async () => {
  await withRecord(async (db) => {
    await record(db, "a", "b", "c");
    await Promise.all([sealAudit(db, NOW), sealAudit(db, NOW), sealAudit(db, NOW)]);
    const { records, unsealed, problem } = await checkSeals(db);
    assert.deepEqual({ records, unsealed, problem }, { records: 3, unsealed: 0, problem: null });
  });
});

Deno.test("sealAudit() waits for a record whose number is taken and not committed", async () => {
  await withRecord(async (db) => {
    const inserted = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    const early = db.begin(async (tx) => {
      await tx`insert into audit (what, outcome) values ('early', 'done')`;
      inserted.resolve();
      await commit.promise;
    });
    await inserted.promise;
    await record(db, "late");
    await assert.rejects(sealAudit(db, NOW), /lock timeout/);
    commit.resolve();
    await early;
    assert.equal((await sealAudit(db, NOW))?.records, 2);
  });
});

Deno.test("the tables take no change, removal or emptying", async () => {
  await withRecord(async (db) => {
    await record(db, "a");
    await sealAudit(db, NOW);
    for (const table of ["audit", "audit_seal"]) {
      for (const statement of [`delete from ${table}`, `truncate ${table}`]) {
        await assert.rejects(db.unsafe(statement), /records are final/);
      }
    }
    await assert.rejects(db`update audit_seal set records = 0`, /records are final/);
  });
});

const TAMPERINGS = {
  "a changed record": [
    `update audit set who_id = 7 where what = 'b'`,
    /A record between number 1 and 3.*changed/,
  ],
  "changed details": [
    `update audit set data = '{"a": "u"}' where what = 'd'`,
    /A record between number 4 and 4.*changed/,
  ],
  "a removed record": [`delete from audit where what = 'a'`, /covers 3 records.*; 2 are there/],
  "a record put in later": [
    `delete from audit where what = 'a';
     insert into audit (id, what, outcome) overriding system value values (1, 'x', 'done')`,
    /A record between number 1 and 3.*changed/,
  ],
  "a changed seal": [`update audit_seal set records_sha256 = 'x' where number = 2`, /Seal 2 was/],
  "a removed seal": [`delete from audit_seal where number = 1`, /Seal 1 is missing/],
} as const;

for (const [what, [statement, problem]] of Object.entries(TAMPERINGS)) {
  Deno.test(`checkSeals() sees ${what}`, async () => {
    await withRecord(async (db) => {
      await record(db, "a", "b", "c");
      await sealAudit(db, NOW);
      await record(db, "d");
      await sealAudit(db, NOW);
      assert.equal((await checkSeals(db)).problem, null);
      await tamper(db, statement);
      assert.match((await checkSeals(db)).problem ?? "", problem);
    });
  });
}
