/**
 * Traces: from a client's request through hub and nodes to the algorithm and back, one tree; with
 * nothing in it but ids and words of ours; and nothing of a node whose owner has not said so.
 * @module
 */
import assert from "node:assert/strict";
import { type CollectedSpan, type Collector, startCollector } from "./support/collector.ts";
import { startTestStack, type TestStack, waitFor } from "./harness.ts";
import { createSite, encodeInput, type Site } from "./site.ts";

/** What stands in the data, and in names: none of it may be told. */
const MARKERS = ["secretcolumn", "7654321", "secretkwarg", "secretname", "researcher-", "Clinic"];
const DATA = ["secretcolumn\n7654321\n7654322\n", "secretcolumn\n7654323\n7654324\n"];

let collector: Collector;
let stack: TestStack;

Deno.test.beforeAll(async () => {
  collector = startCollector();
  stack = await startTestStack({ traces: `${collector.url}/v1/traces` });
});
Deno.test.afterAll(async () => {
  await stack?.stop();
  await collector?.stop();
});

/** A span of a client's own, and the header that tells of it. */
function newTrace() {
  const hex = (length: number) => crypto.randomUUID().replaceAll("-", "").slice(0, length);
  const [traceId, spanId] = [hex(32), hex(16)];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` };
}

/** Posts a federated mean of the marked column, and waits for its end. */
async function average(site: Site, headers: Record<string, string>) {
  const input = encodeInput({ method: "central", kwargs: { column: "secretcolumn" } });
  const answer = await site.researcher.request("POST", "/task", {
    name: "secretname",
    description: "secretname",
    image: "deno:average@1.0.0",
    collaboration_id: site.collaborationId,
    organizations: [{ id: site.members[0]!.id, input }],
    databases: [{ label: "default" }],
  }, headers);
  const task = await answer.json();
  assert.equal(answer.status, 201, JSON.stringify(task));
  const { status, results } = await site.outcome(task.id);
  assert.deepEqual([status, results[0].average], ["completed", 7654322.5]);
  return task as { id: number; job_id: number };
}

function spansOf(traceId: string): CollectedSpan[] {
  return collector.spans.filter((span) => span.traceId === traceId);
}

/** Waits until the parts have sent the spans of these names, each as often as is said. */
async function waitForSpans(traceId: string, wanted: Record<string, number>): Promise<void> {
  await waitFor(() => {
    const missing = Object.entries(wanted).filter(([name, least]) =>
      spansOf(traceId).filter((span) => title(span) === name).length < least
    );
    if (missing.length > 0) throw new Error(`missing: ${JSON.stringify(missing)}`);
    return true;
  }, { what: "all spans of the trace", timeout: 30_000 });
}

const title = ({ service, name }: CollectedSpan) => `${service}: ${name}`;

/** From a span up to the client's: the titles of what is above it. */
function above(span: CollectedSpan): string[] {
  const parent = spansOf(span.traceId).find(({ spanId }) => spanId === span.parent);
  return parent ? [title(parent), ...above(parent)] : [];
}

/** Asserts that all spans of a trace hang together below the client's. */
function assertOneTree({ traceId, spanId }: { traceId: string; spanId: string }): void {
  const spans = spansOf(traceId);
  const known = new Set([spanId, ...spans.map((span) => span.spanId)]);
  const lost = spans.filter(({ parent }) => !known.has(parent));
  assert.deepEqual(lost.map(title), [], "spans whose parent nobody has told");
  assert.equal(known.size, spans.length + 1, "each span is told once");
  const roots = spans.filter(({ parent }) => parent === spanId);
  assert.deepEqual(roots.map(title), ["gateway: gateway POST task"]);
}

/** Asserts that nothing was told to the collector but ids, and words that this project knows. */
function assertNothingTold(): void {
  for (const text of collector.texts) {
    for (const marker of MARKERS) assert.ok(!text.includes(marker), `${marker} in ${text}`);
  }
  const WORDS: Record<string, RegExp> = {
    "http.request.method": /^[A-Z]+$/,
    "sextant.event": /^[a-z]+\.[a-z]+$/,
    "sextant.status": /^[a-z ]+$/,
  };
  const IDS =
    /^(sextant\.(task_id|run_id|result_id|attempt|node_id|count)|http\.response\.status_code)$/;
  for (const { name, attributes, status } of collector.spans) {
    assert.equal(status.message ?? "", "", "no text of an error");
    assert.match(name, /^[a-zA-Z. ]+$/);
    for (const [key, told] of Object.entries(attributes)) {
      if (typeof told === "number") assert.match(key, IDS);
      else assert.match(told, WORDS[key] ?? /^nothing$/, key);
    }
  }
}

Deno.test("a task is one trace, from the client through hub and nodes to the algorithm and back to the feed", async () => {
  const site = await createSite(stack, { data: DATA, node: { traces: collector.url } });
  for (const member of site.members) await site.startNode(member);
  const trace = newTrace();
  const { id, job_id } = await average(site, { traceparent: trace.traceparent });
  // The central part and its two subtasks, of which each tells twice how far it is.
  await waitForSpans(trace.traceId, {
    "gateway: gateway POST task": 2,
    "identity: answer user": 1,
    "collaboration: answer scope": 2,
    "task: task POST": 2,
    "task: outbox task.created": 2,
    "task: send": 2,
    "node: node": 3,
    "node: report start": 3,
    "node: sandbox": 3,
    "node: report finish": 3,
    "task: report start": 3,
    "task: report finish": 3,
    "task: outbox result.status": 6,
    "gateway: feed task.created": 2,
    "gateway: feed result.status": 6,
  });
  assertOneTree(trace);
  assertNothingTold();

  const ends = spansOf(trace.traceId).filter(({ name, attributes }) =>
    name === "feed result.status" && attributes["sextant.status"] === "completed"
  );
  const ways = ends.map(above).sort((a, b) => a.length - b.length);
  const there = ["gateway: gateway POST task"];
  const posted = ["task: task POST", ...there];
  const run = ["node: node", ...posted];
  const reported = [
    "task: outbox result.status",
    "task: report finish",
    "node: report finish",
  ];
  const subtask = ["node: node", "task: task POST", "gateway: gateway POST task"];
  const answers = spansOf(trace.traceId).filter(({ name }) => name.startsWith("answer "));
  const asked = new Set(answers.map((one) => `${title(one)} < ${above(one)[0]}`));
  assert.ok(asked.has("identity: answer user < gateway: gateway POST task"), [...asked].join());
  assert.ok(asked.has("collaboration: answer scope < task: task POST"), [...asked].join());
  assert.deepEqual(ways, [
    [...reported, ...run],
    [...reported, ...subtask, "node: sandbox", ...run],
    [...reported, ...subtask, "node: sandbox", ...run],
  ]);
  const central = spansOf(trace.traceId).find(({ name, attributes }) =>
    name === "node" && attributes["sextant.task_id"] === id
  )!;
  assert.deepEqual(
    [central.attributes["sextant.run_id"], central.attributes["sextant.attempt"]],
    [job_id, 1],
  );
});

Deno.test("of a node whose owner has not said so no span leaves; the hub's own still are one tree", async () => {
  const site = await createSite(stack, { data: DATA });
  for (const member of site.members) await site.startNode(member);
  const trace = newTrace();
  await average(site, { traceparent: trace.traceparent });
  await waitForSpans(trace.traceId, {
    "gateway: gateway POST task": 2,
    "task: report finish": 3,
    "gateway: feed result.status": 6,
  });
  assertOneTree(trace);
  assertNothingTold();
  assert.deepEqual(spansOf(trace.traceId).filter(({ service }) => service === "node"), []);
  const [finish] = spansOf(trace.traceId).filter(({ name }) => name === "report finish");
  assert.equal(above(finish!)[0], "task: task POST", "reports go on where the task was made");
});

Deno.test("a broken traceparent begins a trace of its own", async () => {
  const site = await createSite(stack, { data: DATA });
  const before = new Set(collector.spans.map(({ spanId }) => spanId));
  for (const traceparent of ["00-secretname-1-01", `00-${"0".repeat(32)}-${"1".repeat(16)}-01`]) {
    const answer = await site.researcher.request("GET", "/task?name=secretname", undefined, {
      traceparent,
    });
    await answer.body?.cancel();
    assert.equal(answer.status, 200);
  }
  const begun = await waitFor(() => {
    const spans = collector.spans.filter(({ spanId, name }) =>
      !before.has(spanId) && name === "gateway GET task"
    );
    return spans.length >= 2 ? spans : undefined;
  }, { what: "the spans of both requests", timeout: 30_000 });
  for (const { parent, traceId } of begun) {
    assert.equal(parent, "");
    assert.match(traceId, /^(?!0+$)[0-9a-f]{32}$/);
  }
  assertNothingTold();
});
