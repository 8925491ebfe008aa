import assert from "node:assert/strict";
import { AuditError, openAuditLog } from "./audit_log.ts";
import { type Verification, verifyAuditLog } from "./audit_verify.ts";

async function withLog(use: (path: string, text: () => Promise<string>) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/audit.log`;
  try {
    await use(path, () => Deno.readTextFile(path));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function write(path: string, count: number) {
  const log = await openAuditLog(path);
  await Promise.all(
    Array.from({ length: count }, (_, n) => log.record("task received", { task_id: n })),
  );
  await log.close();
}

/** Verifies a log that comes in pieces of a few bytes, which cut lines and characters anywhere. */
function verify(text: string, expect?: string): Promise<Verification> {
  const bytes = new TextEncoder().encode(text);
  function* pieces() {
    for (let at = 0; at < bytes.length; at += 61) yield bytes.subarray(at, at + 61);
  }
  return verifyAuditLog(pieces(), expect);
}

async function problemOf(text: string, expect?: string): Promise<string> {
  const found = await verify(text, expect);
  assert.ok(!found.ok, "was taken as whole");
  return `${found.line} ${found.problem}`;
}

Deno.test("openAuditLog() goes on with the chain of earlier times", async () => {
  await withLog(async (path, text) => {
    await write(path, 3);
    await write(path, 1000);
    await write(path, 2);
    const found = await verify(await text());
    assert.ok(found.ok);
    assert.equal(found.records, 1005);
    assert.ok((await verify(await text(), found.last)).ok);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  });
});

Deno.test("verifyAuditLog() finds every change, removal, insertion and exchange", async () => {
  await withLog(async (path, text) => {
    await write(path, 5);
    const whole = await text();
    const lines = whole.trimEnd().split("\n");
    const joined = (some: string[]) => `${some.join("\n")}\n`;
    assert.match(await problemOf(whole.replace('"task_id":2', '"task_id":9')), /^3 was changed/);
    assert.match(await problemOf(joined(lines.toSpliced(1, 1))), /^2 does not follow/);
    assert.match(await problemOf(joined(lines.slice(1))), /^1 does not follow/);
    assert.match(await problemOf(joined(lines.toSpliced(2, 0, lines[1]!))), /^3 does not follow/);
    assert.match(await problemOf(joined([lines[1]!, lines[0]!, ...lines.slice(2)])), /^1 does not/);
    assert.match(await problemOf(whole.slice(0, -5)), /^5 is not complete/);
    const last = JSON.parse(lines[4]!).hash;
    assert.match(await problemOf(joined(lines.slice(0, 4)), last), /^4 .*cut off or rewritten/);
    assert.ok((await verify("")).ok);
  });
});

Deno.test("openAuditLog() cuts off a torn line, but refuses a changed end", async () => {
  await withLog(async (path, text) => {
    await write(path, 2);
    await Deno.writeTextFile(path, '{"seq":3,"at"', { append: true });
    await write(path, 1);
    const found = await verify(await text());
    assert.ok(found.ok && found.records === 3, JSON.stringify(found));
    await Deno.writeTextFile(path, (await text()).replace('"seq":3', '"seq":4'));
    await assert.rejects(openAuditLog(path), AuditError);
  });
});

Deno.test("openAuditLog() cuts off a line torn within a character, or longer than what is read at once", async () => {
  await withLog(async (path, text) => {
    const log = await openAuditLog(path);
    await log.record("refused", { reason: "a cœur" });
    await log.record("refused", { reason: "😀".repeat(30_000) });
    await log.record("refused", { reason: "😀".repeat(30_000) });
    await log.close();
    const whole = await Deno.readFile(path);
    const ends = [...whole.entries()].filter(([, byte]) => byte === 0x0a).map(([at]) => at + 1);
    const inSecond = ends[0]! + 200;
    for (let cut = inSecond; cut < inSecond + 4; cut++) {
      await Deno.writeFile(path, whole.subarray(0, cut));
      await (await openAuditLog(path)).close();
      assert.equal((await Deno.stat(path)).size, ends[0]);
    }
    await Deno.writeFile(path, whole.subarray(0, -3));
    await write(path, 1);
    assert.equal((await text()).split("\n").length, 4);
    assert.ok((await verify(await text())).ok);
  });
});

Deno.test("verifyAuditLog() reads no more of a line than a record can have", async () => {
  let pieces = 0;
  function* endless() {
    for (;; pieces++) yield new Uint8Array(2 ** 20).fill(0x20);
  }
  assert.deepEqual(await verifyAuditLog(endless()), {
    ok: false,
    line: 1,
    problem: "is not complete; a crash can do that",
  });
  assert.ok(pieces < 64, `${pieces} MiB`);
});

/** How often something is synced to the disk while `work` is done. */
async function countSyncs(work: () => Promise<unknown>): Promise<number> {
  const { prototype } = Deno.FsFile;
  const { syncData } = prototype;
  let count = 0;
  prototype.syncData = function countedSync() {
    count++;
    return syncData.call(this);
  };
  try {
    await work();
  } finally {
    prototype.syncData = syncData;
  }
  return count;
}

Deno.test("AuditLog.record() shares a sync among the records of one moment, and those of its time", async () => {
  await withLog(async (path, text) => {
    const log = await openAuditLog(path);
    const many = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, n) => log.record("allowed", { n })));
    assert.equal(await countSyncs(() => many(100)), 1);
    const syncs = await countSyncs(async () => {
      const first = many(10);
      // The second batch comes while the first one is on its way to the disk.
      await new Promise((resolve) => setTimeout(resolve));
      await Promise.all([first, many(50), many(50)]);
    });
    assert.ok(syncs <= 2, `${syncs} syncs`);
    assert.equal(await countSyncs(() => log.record("refused")), 1);
    await log.close();
    const found = await verify(await text());
    assert.ok(found.ok);
    assert.equal(found.records, 211);
  });
});

Deno.test("AuditLog.record() rejects for good once a write has failed", async () => {
  await withLog(async (path) => {
    const log = await openAuditLog(path);
    const { syncData } = Deno.FsFile.prototype;
    Deno.FsFile.prototype.syncData = () => Promise.reject(new Error("the disk is full"));
    try {
      const both = await Promise.allSettled([log.record("allowed"), log.record("allowed")]);
      assert.deepEqual(both.map(({ status }) => status), ["rejected", "rejected"]);
    } finally {
      Deno.FsFile.prototype.syncData = syncData;
    }
    await assert.rejects(log.record("allowed"), AuditError);
    await log.close();
  });
});
