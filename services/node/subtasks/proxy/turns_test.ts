import assert from "node:assert/strict";
import { createFairTurns } from "../../../../shared/service/fair_turns.ts";
import { type BlobHub, startBlobHub } from "../../../../tests/support/blob_hub.ts";
import { temporaryFolder, waitFor } from "../../../../tests/harness.ts";
import { GRANT, openRunProxy } from "../../../../tests/support/run_proxy.ts";
import { SMALL_BYTES } from "../subtasks.ts";
import { createProxyToken } from "./token.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Ask = (
  path: string,
  options?: { body?: BodyInit; length?: number; completed?: Promise<void> },
) => Promise<Response>;

/** The proxies of several runs of one agent, in which one large thing at a time is done. */
async function withRuns(
  { patienceMs }: { patienceMs: number },
  use: (hub: BlobHub, runs: Ask[]) => Promise<void>,
): Promise<void> {
  const hub = startBlobHub();
  const folder = await temporaryFolder();
  const largeTurns = createFairTurns<string>(1);
  async function startRun(run: string): Promise<Ask> {
    const token = createProxyToken(GRANT);
    const proxy = await openRunProxy({
      folder: folder.path,
      run,
      hub: hub.hub,
      token,
      inLargeTurn: (work) => largeTurns(run, work),
      patienceMs,
    });
    return async function ask(path, { body, length, completed = Promise.resolve() } = {}) {
      const headers = {
        authorization: `Bearer ${token}`,
        ...(length === undefined ? {} : { "content-length": `${length}` }),
      };
      const method = body === undefined ? "GET" : "POST";
      const given = body === undefined ? {} : { body };
      return await proxy(new Request(`http://run${path}`, { method, headers, ...given }), {
        completed,
      });
    };
  }
  try {
    await use(hub, [await startRun("one"), await startRun("two")]);
  } finally {
    await hub.stop();
    await folder.remove();
  }
}

const taskOf = (input: string) => JSON.stringify({ organizations: [{ id: 3, input }] });

Deno.test("a run that sends a large task slowly keeps another's waiting for a time, and small ones not at all", async () => {
  await withRuns({ patienceMs: 2000 }, async (hub, [one, two]) => {
    let id = 0;
    hub.answer = () => Response.json({ id: ++id }, { status: 201 });
    const stalled = new ReadableStream<Bytes>({
      start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
    });
    const slow = one!("/task", { body: stalled, length: 2 * SMALL_BYTES });
    const large = taskOf("x".repeat(2 * SMALL_BYTES));
    const order: string[] = [];
    const waiting = two!("/task", { body: large, length: large.length });
    const [late, made] = await Promise.all([
      slow.finally(() => order.push("slow")),
      waiting.finally(() => order.push("large")),
    ]);
    assert.deepEqual(order, ["slow", "large"]);
    assert.equal(late.status, 408);
    assert.deepEqual(await late.json(), { msg: "The task did not come within 2 s." });
    assert.equal(made.status, 201);
    await made.body?.cancel();

    const again = one!("/task", { body: new ReadableStream<Bytes>(), length: 2 * SMALL_BYTES });
    const small = taskOf("e30=");
    const quick = await two!("/task", { body: small, length: small.length });
    assert.equal(quick.status, 201);
    assert.equal((await again).status, 408);
  });
});

Deno.test("a task that says that it is too large is refused before any of it is read", async () => {
  await withRuns({ patienceMs: 60_000 }, async (hub, [one]) => {
    const unread = new ReadableStream<Bytes>({}, { highWaterMark: 0 });
    const refused = await one!("/task", { body: unread, length: 2 ** 26 + 1 });
    assert.equal(refused.status, 413);
    assert.match((await refused.json()).msg, /larger than the 64 MiB that a run's proxy takes/);
    assert.deepEqual(hub.asked, []);
  });
});

Deno.test("a large answer that nobody takes breaks off, and the next run gets its own", async () => {
  await withRuns({ patienceMs: 1000 }, async (hub, [one, two]) => {
    const result = "A".repeat(2 * SMALL_BYTES);
    hub.answer = (_, path) =>
      path === "/result/1"
        ? Response.json({ id: 1, result: "MQ==" })
        : Response.json({ data: [{ id: 1, result }], links: {} });
    const never = new Promise<void>(() => {});
    const untaken = await one!("/result?task_id=9", { completed: never });
    assert.equal(untaken.status, 200);
    const waiting = two!("/result?task_id=9", { completed: never });
    await waitFor(() => hub.asked.length >= 3, { what: "the second run's question" });
    const { data } = await (await waiting).json();
    assert.equal(data[0].result, result);
    await assert.rejects(untaken.text(), /was not taken within 1 s/);
    assert.equal((await one!("/result/1")).status, 200);
  });
});
