import assert from "node:assert/strict";
import { type AttemptReportKind, refusalOf, refusalOfCode, REPORTED_FROM } from "./refusal.ts";
import { FINAL_STATUSES, OPEN_STATUSES } from "./status.ts";

const agent = "11111111-1111-4111-8111-111111111111";
const other = "22222222-2222-4222-8222-222222222222";

Deno.test("refusalOf() lets each report move a result from the statuses of the table and no others", () => {
  for (const kind of Object.keys(REPORTED_FROM) as AttemptReportKind[]) {
    for (const status of OPEN_STATUSES) {
      const refused = refusalOf(
        kind,
        { status, attempt: 1, agent_id: null },
        { attempt: 1, agent_id: agent },
      );
      const allowed = (REPORTED_FROM[kind] as readonly string[]).includes(status);
      assert.equal(refused === undefined, allowed, `${kind} from ${status}`);
    }
    for (const status of FINAL_STATUSES) {
      const refused = refusalOf(
        kind,
        { status, attempt: 1, agent_id: agent },
        { attempt: 1, agent_id: agent },
      );
      assert.equal(refused, status === "killed by user" ? "killed" : "finished");
    }
  }
});

Deno.test("refusalOf() fences off other attempts and other agents", () => {
  const running = { status: "active", attempt: 2, agent_id: agent };
  assert.equal(refusalOf("finish", running, { attempt: 2, agent_id: agent }), undefined);
  assert.equal(refusalOf("finish", running, { attempt: 1, agent_id: agent }), "superseded");
  assert.equal(refusalOf("finish", running, { attempt: 3, agent_id: agent }), "superseded");
  assert.equal(refusalOf("start", running, { attempt: 2, agent_id: other }), "superseded");
});

Deno.test("refusalOfCode() refuses another code than the job's, and only where both are told", () => {
  const [one, two] = ["a", "b"].map((digit) => `sha256:${digit.repeat(64)}`);
  assert.equal(refusalOfCode({ job: one, reported: one }), undefined);
  assert.equal(refusalOfCode({ job: one, reported: two }), "other code");
  assert.equal(refusalOfCode({ job: one, reported: undefined }), undefined);
  assert.equal(refusalOfCode({ job: undefined, reported: two }), undefined);
});
