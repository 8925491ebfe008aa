import assert from "node:assert/strict";
import { type Msg, newHeaders } from "../../../shared/broker/connection.ts";
import { nodeIssuers } from "../../../shared/broker/trust.ts";
import { type Logger, silentLogger } from "../../../shared/service/log.ts";
import { signAsNode } from "../../../shared/node_protocol/node_signature.ts";
import { newUserKey } from "../../../shared/broker/signing.ts";
import { type ReportKind, subjects } from "../../../shared/broker/subjects.ts";
import { waitFor } from "../../../tests/harness.ts";
import { startTestNats, type TestParty } from "../../../tests/support/nats.ts";
import { serveReports } from "./desk.ts";
import type { ReportBody } from "../../../shared/node_protocol/reports.ts";
import type { Reports } from "./handlers.ts";

const NODE = 7;
const OTHER = 8;

type Party = TestParty & { node: number };

/** The end of a result, as an agent reports it. */
function report(party: Party, result_id: number): Promise<Msg> {
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
function send(party: Party, text: string, kind = "finish"): Promise<Msg> {
  const subject = subjects.report(party.node, kind as ReportKind);
  const payload = new TextEncoder().encode(text);
  const signed = signatures(party, subject, payload);
  return party.nc.request(subject, payload, { timeout: 20_000, headers: signed });
}

function signatures({ key, credential }: Party, subject: string, payload: Uint8Array) {
  const signed = newHeaders();
  signAsNode(signed, { seed: key.seed, credential: credential.jwt }, { subject, payload });
  return signed;
}

/** Pieces of a run's log, as an agent sends them. */
async function flood(party: Party, times: number, lines: string[]): Promise<void> {
  const subject = subjects.log(NODE, 1);
  const payload = new TextEncoder().encode(JSON.stringify({ attempt: 1, seq: 0, lines }));
  const signed = signatures(party, subject, payload);
  for (let n = 0; n < times; n++) party.nc.publish(subject, payload, { headers: signed });
  await party.nc.flush();
}

interface DeskParts {
  finish?: (node: number, body: ReportBody<"finish">) => Promise<{ ok: true }>;
  append?: () => Promise<void>;
  counts?: { add(kind: string): void };
  log?: Logger;
}

/** A desk with a real broker, and a node before it. */
async function withDesk(
  {
    finish = () => Promise.resolve({ ok: true }),
    append = unasked,
    counts = { add() {} },
    log = silentLogger,
  }: DeskParts,
  use: (
    node: Party,
    desk: ReturnType<typeof serveReports>,
    other: Party,
  ) => Promise<void>,
): Promise<void> {
  const broker = await startTestNats();
  try {
    const { nc } = await broker.service("task");
    const desk = serveReports({
      nc,
      reports: { finish } as Partial<Reports> as Reports,
      oneAgent: { admit: () => Promise.resolve() },
      logs: { append },
      issuers: nodeIssuers(broker.trust),
      counts,
      log,
    });
    await nc.flush();
    await use({ ...await broker.node(NODE), node: NODE }, desk, {
      ...await broker.node(OTHER),
      node: OTHER,
    });
  } finally {
    await broker.stop();
  }
}

function unasked(): never {
  throw new Error("nobody sends logs here");
}

Deno.test("reports take turns, and one that is said again meanwhile is dealt with once", async () => {
  const begun: number[] = [];
  const held = Promise.withResolvers<void>();
  async function finish(_node: number, { result_id }: ReportBody<"finish">) {
    begun.push(result_id);
    await held.promise;
    return { ok: true as const };
  }
  await withDesk({ finish }, async (node) => {
    const answers = [1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 7].map((id) => report(node, id));
    await waitFor(() => begun.length === 3, { what: "as many of one node as may be at once" });
    // An answer to something else shows that the desk has read all of them.
    const unknown = await send(node, "{}", "nonsense");
    assert.match(unknown.string(), /no report \"nonsense\"|no report \\"nonsense/);
    assert.deepEqual(begun, [1, 2, 3]);
    held.resolve();
    for (const answer of await Promise.all(answers)) assert.deepEqual(answer.json(), { ok: true });
    assert.deepEqual(begun, [1, 2, 3, 4, 5, 6, 7, 8]);

    assert.deepEqual((await report(node, 1)).json(), { ok: true });
    assert.equal(begun.length, 9, "afterwards it is asked anew");
  });
});

Deno.test("a report that is not JSON is refused for good", async () => {
  await withDesk({}, async (node) => {
    const answer = await send(node, '{"result_id": 1');
    assert.equal(answer.json<{ error: { code: string } }>().error.code, "invalid_request");
  });
});

Deno.test("a flood of logs holds up no report, and is kept in bounds", async () => {
  const held = Promise.withResolvers<void>();
  let dropped = 0;
  let kept = 0;
  const append = () => held.promise.then(() => void kept++);
  const counts = { add: () => void dropped++ };
  await withDesk({ append, counts }, async (node) => {
    await flood(node, 600, ["x"]);
    assert.deepEqual((await report(node, 1)).json(), { ok: true });
    await waitFor(() => dropped === 100, { what: "what is too much to be let go" });
    held.resolve();
    await waitFor(() => kept === 500, { what: "the others to be kept" });
  });
});

Deno.test("large pieces of logs are kept in bounds of their own", async () => {
  const held = Promise.withResolvers<void>();
  let dropped = 0;
  const append = () => held.promise;
  const counts = { add: () => void dropped++ };
  await withDesk({ append, counts }, async (node) => {
    await flood(node, 40, Array.from({ length: 250 }, () => "x".repeat(4000)));
    assert.deepEqual((await report(node, 1)).json(), { ok: true });
    await waitFor(() => dropped >= 20, { what: "what is too much to be let go" });
    held.resolve();
  });
});

Deno.test("stop() waits until what was taken is answered", async () => {
  const begun = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  let done = false;
  async function finish() {
    begun.resolve();
    await held.promise;
    done = true;
    return { ok: true as const };
  }
  await withDesk({ finish }, async (node, desk) => {
    const answer = report(node, 1);
    await begun.promise;
    const stopped = desk.stop().then(() => done);
    setTimeout(held.resolve, 200);
    assert.equal(await stopped, true);
    assert.deepEqual((await answer).json(), { ok: true });
  });
});

Deno.test("what is not proven is not answered, counted, and logged by its beginning", async () => {
  const counted = new Map<string, number>();
  let lines = 0;
  const counts = { add: (kind: string) => void counted.set(kind, 1 + (counted.get(kind) ?? 0)) };
  const log = { ...silentLogger, warn: () => void lines++ };
  await withDesk({ counts, log }, async (node) => {
    const subject = subjects.report(NODE, "finish");
    const other = { ...node, key: newUserKey() };
    const badly = signatures(other, subject, new TextEncoder().encode("{}"));
    let answered = 0;
    node.nc.subscribe("_INBOX.7.x.*", { callback: () => void answered++ });
    for (let n = 0; n < 10_000; n++) {
      node.nc.publish(subject, "{}", { reply: `_INBOX.7.x.${n}` });
      node.nc.publish(subject, "{}", { reply: `_INBOX.7.x.${n}`, headers: badly });
      node.nc.publish(subjects.log(NODE, 1), "{}");
      // The broker parts with whoever does not read for long, and both sides are in this process.
      if (n % 250 === 0) await node.nc.flush();
    }
    await node.nc.flush();
    const all = () => [...counted.values()].reduce((sum, one) => sum + one, 0);
    await waitFor(() => all() === 30_000, { what: "everything to be counted" });
    assert.ok(counted.get("unproven report")! >= 20);
    assert.ok(counted.get("report over the limit")! > 0);
    assert.equal(answered, 0);
    assert.ok(lines <= 40, `${lines} lines`);
  });
});

Deno.test("a node that reports all the time holds up no other node", async () => {
  const held = Promise.withResolvers<void>();
  const begun: number[] = [];
  async function finish(node: number) {
    begun.push(node);
    if (node === NODE) await held.promise;
    return { ok: true as const };
  }
  await withDesk({ finish }, async (node, _desk, other) => {
    const mine = Array.from({ length: 500 }, (_, n) => report(node, n + 1));
    await waitFor(() => begun.length === 3, { what: "as many of one node as may be at once" });
    await node.nc.flush();
    // Even while nothing of the first node comes to its end.
    assert.deepEqual((await report(other, 1)).json(), { ok: true });
    assert.deepEqual(begun, [NODE, NODE, NODE, OTHER]);
    held.resolve();
    await Promise.all(mine);
  });
});
