import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { type BlobHub, startBlobHub } from "../../../tests/support/blob_hub.ts";
import { collect } from "../payload/pieces.ts";
import { download } from "./download.ts";
import { HubError } from "./hub.ts";

const signal = new AbortController().signal;
const content = crypto.getRandomValues(new Uint8Array(60_000));

async function withHub(use: (hub: BlobHub) => Promise<void>): Promise<void> {
  const hub = startBlobHub();
  try {
    await use(hub);
  } finally {
    await hub.stop();
  }
}

Deno.test("Hub.download() goes on where a connection broke off, as often as it takes", async () => {
  for (const ranges of [true, false]) {
    await withHub(async (it) => {
      it.ranges = ranges;
      it.breaks = [25_000, 0, 12_345];
      const id = it.add(content);
      assert.deepEqual(await collect(it.hub.download(id, { signal })), content);
      assert.equal(it.asked.length, 4);
      assert.equal(it.asked[0], `GET /blobstream/${id}`);
      const starts = it.asked.slice(1).map((one) => Number(/bytes=(\d+)-$/.exec(one)![1]));
      assert.deepEqual(starts, starts.toSorted((a, b) => a - b));
      // How much of what was sent before the break arrives is not ours to say; it is not asked for
      // again.
      if (starts.at(-1)! > 0) assert.ok(starts.at(-1)! <= (ranges ? 37_345 : 25_000));
    });
  }
});

Deno.test("Hub.download() refuses at its end what is not what the hub has", async () => {
  await withHub(async (it) => {
    const id = it.add(content);
    it.lies.sha256 = "0".repeat(64);
    await assert.rejects(collect(it.hub.download(id, { signal })), /is not what the hub has/);
    assert.equal(it.asked.length, 1);
  });
});

Deno.test("Hub.download() does not insist on what is refused, and stops when it is told to", async () => {
  await withHub(async (it) => {
    const id = crypto.randomUUID();
    await assert.rejects(collect(it.hub.download(id, { signal })), (error: HubError) => {
      assert.deepEqual([error.status, error.message], [404, `no GET /blobstream/${id}`]);
      return true;
    });
    assert.equal(it.asked.length, 1);
    it.answer = () => Response.json({ msg: "restarting" }, { status: 503 });
    const stop = new AbortController();
    const waiting = collect(it.hub.download(id, { signal: stop.signal }));
    setTimeout(() => stop.abort(new Error("stopped")), 200);
    await assert.rejects(waiting, /stopped/);
  });
});

Deno.test("download() gives up a connection on which nothing comes, and makes another", async () => {
  let count = 0;
  const silent = new ReadableStream<Uint8Array<ArrayBuffer>>({ pull: () => new Promise(() => {}) });
  const pieces = download({
    what: "it",
    open: () => Promise.resolve(new Response(++count === 1 ? silent : "whole")),
    log: silentLogger,
    signal,
    silenceMs: 50,
  });
  assert.equal(new TextDecoder().decode(await collect(pieces)), "whole");
  assert.equal(count, 2);
});

Deno.test("download() refuses content that changes between two connections", async () => {
  await withHub(async (it) => {
    const id = it.add(content);
    it.breaks = [20_000];
    const pieces = it.hub.download(id, { signal })[Symbol.asyncIterator]();
    await pieces.next();
    it.blobs.set(id, crypto.getRandomValues(new Uint8Array(60_000)));
    await assert.rejects(async () => {
      while (!(await pieces.next()).done);
    }, /it has changed meanwhile/);
  });
});
