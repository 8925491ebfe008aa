import assert from "node:assert/strict";
import { headers, type Msg } from "nats.ws";
import { nodeIssuers } from "../../shared/broker_trust.ts";
import { silentLogger } from "../../shared/log.ts";
import { CREDENTIAL_HEADER, sign, SIGNATURE_HEADER } from "../../shared/signing.ts";
import { subjects } from "../../shared/subjects.ts";
import { waitFor } from "../../tests/harness.ts";
import { startTestNats, type TestParty } from "../../tests/support/nats.ts";
import type { Logs } from "./logs.ts";
import { serveReports } from "./report_desk.ts";
import type { ReportBody, Reports } from "./reports.ts";

const NODE = 7;

/** The end of a result, as an agent reports it. */
function report(party: TestParty, result_id: number): Promise<Msg> {
  return send(
    party,
    JSON.stringify({
      agent_id: "00000000-0000-4000-8000-000000000000",
      result_id,
      attempt: 1,
      status: "completed",
      result: null,
      log: null,
      reason: null,
    }),
  );
}

/** Any text, signed as a report. */
function send(party: TestParty, text: string): Promise<Msg> {
  const subject = subjects.report(NODE, "finish");
  const payload = new TextEncoder().encode(text);
  const signed = signatures(party, subject, payload);
  return party.nc.request(subject, payload, { timeout: 20_000, headers: signed });
}

function signatures({ key, credential }: TestParty, subject: string, payload: Uint8Array) {
  const signed = headers();
  signed.set(CREDENTIAL_HEADER, credential.jwt);
  signed.set(SIGNATURE_HEADER, sign(key.seed, subject, payload));
  return signed;
}

Deno.test("reports take turns, and one that is said again meanwhile is dealt with once", async () => {
  const broker = await startTestNats();
  try {
    const { nc } = await broker.service("task");
    const node = await broker.node(NODE);
    const begun: number[] = [];
    const held = Promise.withResolvers<void>();
    const reports = {
      async finish(_node: number, { result_id }: ReportBody<"finish">) {
        begun.push(result_id);
        await held.promise;
        return { ok: true as const };
      },
    } as Partial<Reports> as Reports;
    const desk = serveReports({
      nc,
      reports,
      logs: {} as Logs,
      issuers: nodeIssuers(broker.trust),
      log: silentLogger,
    });
    await nc.flush();

    const finish = (result_id: number) => report(node, result_id);
    const answers = [1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 7].map(finish);
    await waitFor(() => begun.length === 6, { what: "as many as may be at once" });
    // An answer to something else shows that the desk has read all of them.
    await node.nc.request(subjects.report(NODE, "finish"), "{}", { timeout: 20_000 });
    assert.deepEqual(begun, [1, 2, 3, 4, 5, 6]);
    held.resolve();
    for (const answer of await Promise.all(answers)) assert.deepEqual(answer.json(), { ok: true });
    assert.deepEqual(begun, [1, 2, 3, 4, 5, 6, 7, 8]);

    assert.deepEqual((await finish(1)).json(), { ok: true });
    assert.equal(begun.length, 9, "afterwards it is asked anew");
    await desk.stop();
  } finally {
    await broker.stop();
  }
});

Deno.test("a report that is not JSON is refused for good", async () => {
  const broker = await startTestNats();
  try {
    const { nc } = await broker.service("task");
    const desk = serveReports({
      nc,
      reports: {} as Reports,
      logs: {} as Logs,
      issuers: nodeIssuers(broker.trust),
      log: silentLogger,
    });
    await nc.flush();
    const answer = await send(await broker.node(NODE), '{"result_id": 1');
    assert.equal(answer.json<{ error: { code: string } }>().error.code, "invalid_request");
    await desk.stop();
  } finally {
    await broker.stop();
  }
});

Deno.test("a flood of logs holds up no report, and is kept in bounds", async () => {
  const broker = await startTestNats();
  try {
    const { nc } = await broker.service("task");
    const node = await broker.node(NODE);
    const held = Promise.withResolvers<void>();
    let dropped = 0;
    let kept = 0;
    const log = { ...silentLogger, warn: () => void dropped++ };
    const desk = serveReports({
      nc,
      reports: { finish: () => Promise.resolve({ ok: true }) } as Partial<Reports> as Reports,
      logs: { append: () => held.promise.then(() => void kept++) },
      issuers: nodeIssuers(broker.trust),
      log,
    });
    await nc.flush();
    const subject = subjects.log(NODE, 1);
    const payload = new TextEncoder().encode(JSON.stringify({ attempt: 1, seq: 0, lines: ["x"] }));
    const signed = signatures(node, subject, payload);
    for (let n = 0; n < 600; n++) node.nc.publish(subject, payload, { headers: signed });
    assert.deepEqual((await report(node, 1)).json(), { ok: true });
    await waitFor(() => dropped === 100, { what: "what is too much to be let go" });
    held.resolve();
    await waitFor(() => kept === 500, { what: "the others to be kept" });
    await desk.stop();
  } finally {
    await broker.stop();
  }
});

Deno.test("large pieces of logs are kept in bounds of their own", async () => {
  const broker = await startTestNats();
  try {
    const { nc } = await broker.service("task");
    const node = await broker.node(NODE);
    const held = Promise.withResolvers<void>();
    let dropped = 0;
    const desk = serveReports({
      nc,
      reports: { finish: () => Promise.resolve({ ok: true }) } as Partial<Reports> as Reports,
      logs: { append: () => held.promise },
      issuers: nodeIssuers(broker.trust),
      log: { ...silentLogger, warn: () => void dropped++ },
    });
    await nc.flush();
    const subject = subjects.log(NODE, 1);
    const lines = Array.from({ length: 250 }, () => "x".repeat(4000));
    const payload = new TextEncoder().encode(JSON.stringify({ attempt: 1, seq: 0, lines }));
    const signed = signatures(node, subject, payload);
    for (let n = 0; n < 40; n++) node.nc.publish(subject, payload, { headers: signed });
    assert.deepEqual((await report(node, 1)).json(), { ok: true });
    await waitFor(() => dropped >= 20, { what: "what is too much to be let go" });
    held.resolve();
    await desk.stop();
  } finally {
    await broker.stop();
  }
});

Deno.test("stop() waits until what was taken is answered", async () => {
  const broker = await startTestNats();
  try {
    const { nc } = await broker.service("task");
    const node = await broker.node(NODE);
    const begun = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    let done = false;
    const reports = {
      async finish() {
        begun.resolve();
        await held.promise;
        done = true;
        return { ok: true as const };
      },
    } as Partial<Reports> as Reports;
    const desk = serveReports({
      nc,
      reports,
      logs: {} as Logs,
      issuers: nodeIssuers(broker.trust),
      log: silentLogger,
    });
    await nc.flush();
    const answer = report(node, 1);
    await begun.promise;
    const stopped = desk.stop().then(() => done);
    setTimeout(held.resolve, 200);
    assert.equal(await stopped, true);
    await nc.drain();
    assert.deepEqual((await answer).json(), { ok: true });
  } finally {
    await broker.stop();
  }
});
