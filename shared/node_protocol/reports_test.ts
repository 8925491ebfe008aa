import assert from "node:assert/strict";
import { REPORT_ANSWERS, REPORT_SCHEMAS } from "./reports.ts";
import { FINAL_STATUSES } from "./status.ts";

const attempt = { agent_id: "11111111-1111-4111-8111-111111111111", result_id: 7, attempt: 1 };
const finish = { ...attempt, status: "completed", result: "MQ==", log: null, reason: null };

Deno.test("REPORT_SCHEMAS.finish takes every final status and no other", () => {
  for (const status of FINAL_STATUSES) {
    assert.ok(REPORT_SCHEMAS.finish.safeParse({ ...finish, status }).success, status);
  }
  for (const status of ["active", "done", ""]) {
    assert.ok(!REPORT_SCHEMAS.finish.safeParse({ ...finish, status }).success, status);
  }
});

Deno.test("REPORT_SCHEMAS.finish counts a report that does not say so as one without a blob", () => {
  assert.equal(REPORT_SCHEMAS.finish.parse(finish).in_blob, false);
});

Deno.test("REPORT_SCHEMAS refuse ids that Postgres cannot hold, and results with NUL", () => {
  for (const result_id of [0, -1, 1.5, 2 ** 31, "7"]) {
    assert.ok(!REPORT_SCHEMAS.start.safeParse({ ...attempt, result_id }).success);
  }
  assert.ok(REPORT_SCHEMAS.start.safeParse({ ...attempt, result_id: 2 ** 31 - 1 }).success);
  assert.ok(!REPORT_SCHEMAS.finish.safeParse({ ...finish, result: "\0" }).success);
});

Deno.test("REPORT_ANSWERS read a reason that this version does not know as unknown", () => {
  const answer = REPORT_ANSWERS.start.parse({ ok: false, reason: "a later one" });
  assert.deepEqual(answer, { ok: false, reason: "unknown" });
});

Deno.test("REPORT_ANSWERS refuse what is neither an answer nor a refusal", () => {
  for (const answer of [{}, { ok: true }, { ok: false, error: 1 }, null, "ok"]) {
    const { success } = REPORT_ANSWERS.hello.safeParse(answer);
    assert.equal(success, false, JSON.stringify(answer));
  }
});

Deno.test("REPORT_SCHEMAS.start takes a code in one form, or none", () => {
  const digest = "0a".repeat(32);
  assert.equal(REPORT_SCHEMAS.start.parse(attempt).code, undefined);
  const code = `sha256:${digest}`;
  assert.equal(REPORT_SCHEMAS.start.parse({ ...attempt, code }).code, code);
  for (const wrong of [digest, code.toUpperCase(), `${code}0`, `md5:${digest}`, "", 1, null]) {
    assert.ok(!REPORT_SCHEMAS.start.safeParse({ ...attempt, code: wrong }).success, `${wrong}`);
  }
});

Deno.test("REPORT_ANSWERS.start tells the job's code, in whatever form a later hub may have it", () => {
  const refused = { ok: false, reason: "other code", job_code: `sha256:${"0a".repeat(32)}` };
  assert.deepEqual(REPORT_ANSWERS.start.parse(refused), refused);
  const { reason } = REPORT_ANSWERS.start.parse({ ...refused, job_code: "a later form" }) as {
    reason: string;
  };
  assert.equal(reason, "other code");
});
