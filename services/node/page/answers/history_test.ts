import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../../../tests/harness.ts";
import { auditOfAttempt, openAuditLog } from "../../record/audit_log.ts";
import { auditPage, history } from "../contract.ts";
import { readAuditPage } from "./audit.ts";
import { readHistory } from "./history.ts";

/** A log in which attempts follow each other, each held for a while and released. */
async function withLog(count: number, use: (path: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    const path = join(folder.path, "audit.log");
    const audit = await openAuditLog(path);
    await audit.record("agent started");
    for (let id = 1; id <= count; id++) {
      const note = auditOfAttempt(audit, { task_id: 1000 + id, result_id: id, attempt: 1 });
      void note("task received", { image: "deno:a@1", init_user_id: 4, init_org_id: 3 });
      void note("run started", { code: `sha256:${id}` });
      void note("run ended", { status: "completed" });
      void note("result held", { why: "not trusted" });
      await note("held result released", { reason: "fine", by: "ann", decided_at: "then" });
      await note("report leaves", { bytes: id, sha256: "ab" });
    }
    await audit.close();
    await use(path);
  } finally {
    await folder.remove();
  }
}

Deno.test("readHistory tells of every attempt once, the last one first, with all that the log has of it", async () => {
  await withLog(120, async (path) => {
    const seen: number[] = [];
    let next: number | null | undefined;
    while (next !== null) {
      const found = history.parse(await readHistory(path, next));
      seen.push(...found.runs.map(({ result_id }) => result_id));
      for (const run of found.runs) {
        const { asked, code, held, decision, left, ended } = run;
        assert.deepEqual(asked, {
          image: "deno:a@1",
          user_id: 4,
          username: null,
          organization_id: 3,
          databases: [],
        });
        assert.deepEqual([code, held?.why], [`sha256:${run.result_id}`, "not trusted"]);
        assert.deepEqual(decision, { is: "release", reason: "fine", by: "ann", at: "then" });
        assert.deepEqual([ended?.status, left[0]?.bytes], ["completed", run.result_id]);
      }
      next = found.next;
    }
    assert.deepEqual(seen, Array.from({ length: 120 }, (_, n) => 120 - n));
  });
});

Deno.test("readAuditPage filters, goes on where it was left, and shows what is wrong under every filter", async () => {
  await withLog(60, async (path) => {
    const first = auditPage.parse(await readAuditPage(path, {}));
    assert.deepEqual([first.records.length, first.records[0]!.seq], [100, 361]);
    const second = auditPage.parse(await readAuditPage(path, { before: first.next! }));
    assert.equal(second.records[0]!.seq, 261);
    const ofTask = await readAuditPage(path, { task: 1007, event: "report leaves" });
    assert.deepEqual(ofTask.records.map(({ details }) => details.bytes), [7]);
    assert.equal(ofTask.next, null);

    const log = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, log.replace('"bytes":9,', '"bytes":8,'));
    const changed = await readAuditPage(path, { task: 1007 });
    assert.deepEqual(
      changed.records.filter(({ problem }) => problem !== null).map(({ details, problem }) => [
        details.result_id,
        problem,
      ]),
      [[9, "was changed"]],
    );
  });
});
