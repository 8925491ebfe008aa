import assert from "node:assert/strict";
import { useTestPostgres } from "../../tests/harness.ts";
import { countRoundTrips } from "../../tests/support/round_trips.ts";
import { silentLogger } from "../service/log.ts";
import { isConsistent, leafHash, rootOf } from "../transparency/merkle.ts";
import { recordLines } from "./audit_lines.ts";
import { checkSeals, sealAudit } from "./audit_seal.ts";
import { checkTree, consistencyProof, newestHead } from "./audit_tree.ts";
import { type Db, migrate, openDatabase } from "./db.ts";

const postgres = useTestPostgres();
const SCHEMA = new URL("../../services/task/schema/", import.meta.url);
const NOW = new Date("2026-03-24T10:00:00.000Z");
const bytes = (base64: string) => Uint8Array.fromBase64(base64);

async function withRecord(work: (db: Db) => Promise<void>): Promise<void> {
  const log = silentLogger;
  const db = openDatabase(await postgres.newDatabase("task"), { schema: "task", log });
  try {
    await migrate(db, SCHEMA, log);
    await work(db);
  } finally {
    await db.end();
  }
}

async function record(db: Db, count: number): Promise<void> {
  await db`insert into audit (what, outcome)
    select 'n' || n, 'done' from generate_series(1, ${count}::integer) as n`;
}

/** The tree after the record was sealed. */
async function sealed(db: Db): Promise<{ size: number; root: Uint8Array }> {
  await sealAudit(db, NOW);
  const { size, root } = (await newestHead(db))!;
  return { size, root: bytes(root) };
}

async function leaves(db: Db): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const rows of recordLines(db, 0, 2 ** 31)) {
    all.push(...rows.map(({ line }) => leafHash(line)));
  }
  return all;
}

async function tamper(db: Db, table: string, statement: string): Promise<void> {
  await db.unsafe(`alter table ${table} disable trigger user`);
  await db.unsafe(statement);
  await db.unsafe(`alter table ${table} enable trigger user`);
}

Deno.test("the tree has each record as a leaf, and proves that every size of it goes on from the ones before", async () => {
  await withRecord(async (db) => {
    const heads = [];
    // Below, at and beyond the ends of tiles, and of tiles of tiles; by one and by many.
    for (const count of [1, 1, 253, 1, 1, 255, 1, 700, 65_000, 3]) {
      await record(db, count);
      heads.push(await sealed(db));
    }
    const all = await leaves(db);
    assert.equal(all.length, heads.at(-1)!.size);
    for (const { size, root } of heads) {
      assert.deepEqual(root, new Uint8Array(rootOf(all.slice(0, size))), `of ${size}`);
    }
    for (const second of heads) {
      for (const first of heads) {
        const { proof } = await consistencyProof(db, { from: first.size, to: second.size });
        if (first.size > second.size) {
          assert.equal(proof, null);
          continue;
        }
        assert.ok(isConsistent(first, second, proof!.map(bytes)), `${first.size} ${second.size}`);
      }
    }
    const beyond = heads.at(-1)!.size + 1;
    assert.equal((await consistencyProof(db, { from: 1, to: beyond })).proof, null);
    assert.deepEqual(await checkTree(db), {
      records: heads.at(-1)!.size,
      root: (await newestHead(db))!.root,
      problem: null,
    });
  });
});

Deno.test("a record of the version before, which has seals and no tree, gets its tree with the next seal", async () => {
  await withRecord(async (db) => {
    await record(db, 600);
    await sealed(db);
    await tamper(db, "audit_tree_head", "delete from audit_tree_head");
    await tamper(db, "audit_tile", "delete from audit_tile");
    assert.equal(await newestHead(db), undefined);
    assert.equal((await checkTree(db)).records, 0);
    await record(db, 5);
    const head = await sealed(db);
    assert.deepEqual(head, { size: 605, root: new Uint8Array(rootOf(await leaves(db))) });
    // A replica of the version before seals in between.
    await record(db, 5);
    await sealed(db);
    await tamper(db, "audit_tree_head", "delete from audit_tree_head where size = 610");
    await tamper(db, "audit_tile", "delete from audit_tile where level = 0 and number = 2");
    await db`insert into audit_tile select 0, 2, substring(hashes from 1 for 93 * 32)
      from audit_tile where level = 0 and number = 1`;
    await tamper(
      db,
      "audit_tile",
      `update audit_tile set hashes = decode('${
        Buffer.concat((await leaves(db)).slice(512, 605)).toString("hex")
      }', 'hex') where level = 0 and number = 2`,
    );
    await record(db, 1);
    assert.equal((await sealed(db)).size, 611);
    assert.equal((await checkTree(db)).problem, null);
    assert.equal((await checkSeals(db)).problem, null);
  });
});

Deno.test("a seal costs as many statements with many records as with few, and a proof costs two", async () => {
  await withRecord(async (db) => {
    const count = async (work: () => Promise<unknown>) =>
      (await countRoundTrips(() => work().then(() => {}), /^$/)).statements.length;
    await record(db, 1);
    const first = await count(() => sealAudit(db, NOW));
    await record(db, 70_000);
    await sealAudit(db, NOW);
    await record(db, 900);
    const later = await count(() => sealAudit(db, NOW));
    // The tree's own: lock, where it ends, its open tiles, its growth, its head.
    assert.ok(later <= first + 1 && later <= 18, `${first} and ${later} statements`);
    const proving = await count(() => consistencyProof(db, { from: 3, to: 70_901 }));
    assert.equal(proving, 2);
    console.log(`A seal: ${later} statements; a proof: ${proving}`);
  });
});

Deno.test("two replicas that seal at once grow one tree", async () => {
  await withRecord(async (db) => {
    for (const more of [1, 300, 2]) {
      await record(db, more);
      await Promise.all([sealAudit(db, NOW), sealAudit(db, NOW), sealAudit(db, NOW)]);
    }
    const { records, problem } = await checkTree(db);
    assert.deepEqual({ records, problem }, { records: 303, problem: null });
  });
});

Deno.test("the tree's tables take no removal, and no change but growth", async () => {
  await withRecord(async (db) => {
    await record(db, 3);
    await sealed(db);
    for (const table of ["audit_tile", "audit_tree_head"]) {
      for (const statement of [`delete from ${table}`, `truncate ${table}`]) {
        await assert.rejects(db.unsafe(statement), /records are final/);
      }
    }
    await assert.rejects(db`update audit_tree_head set size = 1`, /records are final/);
    for (const hashes of ["substring(hashes from 1 for 32)", "set_byte(hashes, 3, 1)"]) {
      await assert.rejects(
        db.unsafe(`update audit_tile set hashes = ${hashes}`),
        /records are final/,
      );
    }
  });
});

const TAMPERINGS: Record<string, [table: string, statement: string, problem: RegExp]> = {
  "a changed record": [
    "audit",
    "update audit set who_id = 7 where what = 'n2'",
    /record.*number 2 .*was changed/i,
  ],
  "a removed record": ["audit", "delete from audit where what = 'n1'", /number 2 .*was changed/],
  "a record removed at the end": [
    "audit",
    "delete from audit where what = 'n9'",
    /covers 9 records.*8 are there/,
  ],
  "a changed hash": [
    "audit_tile",
    "update audit_tile set hashes = set_byte(hashes, 40, 1)",
    /number 2 /,
  ],
  "a changed head": ["audit_tree_head", "update audit_tree_head set root = 'x'", /Its root/],
};
for (const [what, [table, statement, problem]] of Object.entries(TAMPERINGS)) {
  Deno.test(`checkTree() sees ${what}`, async () => {
    await withRecord(async (db) => {
      await record(db, 9);
      await sealed(db);
      assert.equal((await checkTree(db)).problem, null);
      await tamper(db, table, statement);
      assert.match((await checkTree(db)).problem ?? "", problem);
    });
  });
}
