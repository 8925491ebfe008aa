import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { type BlobHub, startBlobHub } from "../../../tests/support/blob_hub.ts";
import { temporaryFolder } from "../../../tests/harness.ts";
import { GRANT } from "../../../tests/support/run_proxy.ts";
import { HubError } from "../hub/hub.ts";
import { TooLargeError } from "../payload/pieces.ts";
import { createdSchema, type Creation, type CreationMemory, type TaskBody } from "./create_once.ts";
import { openCreationMemory } from "./creation_memory.ts";
import { askAccessOnce } from "./grant.ts";
import { createSubtasks, MOST_BYTES, type Subtasks } from "./subtasks.ts";

interface Core {
  it: BlobHub;
  subtasks: Subtasks;
  /** Bodies and keys of the tasks that the hub was asked to make. */
  posted: { body: unknown; key: string | null }[];
  /** Answers each of them. */
  answerPost: (count: number) => Response;
  /** Answers `GET /task/9/status`. */
  statuses: string[];
}

async function withCore(
  use: (core: Core) => Promise<void>,
  { memory, signal = new AbortController().signal }: {
    memory?: CreationMemory;
    signal?: AbortSignal;
  } = {},
): Promise<void> {
  const it = startBlobHub();
  const core: Core = {
    it,
    posted: [],
    statuses: [],
    answerPost: (count) => Response.json({ id: 40 + count }, { status: 201 }),
    subtasks: createSubtasks({
      hub: it.hub,
      attempt: 2,
      access: () => Promise.resolve({ token: "hub-token", grant: GRANT }),
      codec: { encode: (content, id) => Promise.resolve(`${content} for ${id}`) },
      ...(memory ? { memory } : {}),
      signal,
      log: silentLogger,
    }),
  };
  it.answer = async (request, path) => {
    if (path.startsWith("/task/9/status")) {
      const status = core.statuses.length > 1 ? core.statuses.shift() : core.statuses[0];
      return Response.json({ status });
    }
    assert.equal(path, "/task");
    assert.equal(request.headers.get("authorization"), "Bearer hub-token");
    const key = request.headers.get("idempotency-key");
    core.posted.push({ body: await request.json(), key });
    return core.answerPost(core.posted.length);
  };
  try {
    await use(core);
  } finally {
    await it.stop();
  }
}

function refusal(status: number, msg: string): Response {
  return Response.json({ msg }, { status });
}

/** What a test gives as the body of a subtask, and how often it was asked for it. */
function countedBody(): { write: () => Promise<TaskBody>; written: () => number } {
  let written = 0;
  return {
    write: () => Promise.resolve({ name: "sub", written: ++written }),
    written: () => written,
  };
}

Deno.test("askAccessOnce() asks when it is first needed, once, and again after a refusal", async () => {
  const it = startBlobHub();
  const claims = new TextEncoder().encode(JSON.stringify({ sub: GRANT })).toBase64();
  const answers = [
    refusal(403, "not now"),
    Response.json({ container_token: `e30.${claims}.x` }),
  ];
  it.answer = () => answers.shift() ?? refusal(404, "asked too often");
  try {
    const access = askAccessOnce(it.hub, GRANT, new AbortController().signal);
    assert.deepEqual(it.asked, []);
    await assert.rejects(access(), /not now/);
    const [one, same] = await Promise.all([access(), access()]);
    assert.equal(one, same);
    assert.deepEqual(one.grant, GRANT);
    assert.equal(await access(), one);
    assert.equal(it.asked.length, 2);
  } finally {
    await it.stop();
  }
});

Deno.test("Subtasks.create() makes one subtask for a key, whoever asks meanwhile, and another once it was delivered", async () => {
  await withCore(async ({ subtasks, posted }) => {
    const { write, written } = countedBody();
    const [one, same] = await Promise.all([
      subtasks.create("k", write),
      subtasks.create("k", write),
    ]);
    assert.deepEqual([one.id, same.id, written()], [41, 41, 1]);
    assert.equal((await subtasks.create("k", write)).id, 41);
    assert.ok(subtasks.isOwn(41) && !subtasks.isOwn(42));
    subtasks.delivered("k");
    assert.equal((await subtasks.create("k", write)).id, 42);
    assert.deepEqual(posted.map(({ key }) => key), ["k", "k"]);
    assert.ok(subtasks.isOwn(42));
  });
});

Deno.test("Subtasks.create() repeats itself to the byte while the hub is unwell, and can be tried again after a refusal", async () => {
  const known = new Map<string, Creation>();
  const memory: CreationMemory = {
    recall: (key) => Promise.resolve(known.get(key)),
    remember: (key, creation) => Promise.resolve(void known.set(key, creation)),
    forget: (key) => Promise.resolve(void known.delete(key)),
  };
  await withCore(async (core) => {
    const { write } = countedBody();
    core.answerPost = (count) =>
      count === 1 ? refusal(503, "restarting") : refusal(403, "not this image");
    await assert.rejects(core.subtasks.create("k", write), /not this image/);
    assert.deepEqual(core.posted[1], core.posted[0]);
    assert.equal(known.size, 0);
    core.answerPost = () => Response.json({ id: 50 }, { status: 201 });
    assert.equal((await core.subtasks.create("k", write)).id, 50);
    assert.deepEqual(core.posted[2]!.body, { name: "sub", written: 2, parent_attempt: 2 });
    assert.deepEqual(known.get("k"), { answer: { id: 50 } });
  }, { memory });
});

Deno.test("Subtasks.create() sends what was remembered for a key, and nothing when the answer was", async () => {
  const folder = await temporaryFolder();
  const memory = await openCreationMemory(`${folder.path}/created`, "11-1");
  try {
    await memory.remember("sent", { body: { name: "sealed by an earlier agent" } });
    await memory.remember("answered", { answer: { id: 12 } });
    await withCore(async ({ subtasks, posted }) => {
      const never = () => Promise.reject(new Error("written anew"));
      assert.equal((await subtasks.create("sent", never)).id, 41);
      assert.equal((await subtasks.create("answered", never)).id, 12);
      assert.deepEqual(posted, [{ body: { name: "sealed by an earlier agent" }, key: "sent" }]);
      assert.ok(subtasks.isOwn(12));
    }, { memory });
  } finally {
    await folder.remove();
  }
});

Deno.test("Subtasks.encodeInputs() writes each input for its reader, and leaves blobs and what has none", async () => {
  await withCore(async ({ subtasks }) => {
    const blob = crypto.randomUUID();
    const shares = [{ id: 3, input: "e30=" }, { id: 4, input: blob }, { id: 5, name: "x" }];
    assert.deepEqual(await subtasks.encodeInputs(shares), [
      { id: 3, input: "e30= for 3" },
      { id: 4, input: blob },
      { id: 5, name: "x" },
    ]);
  });
});

Deno.test("Subtasks.whenOver() holds its question until the task is over", async () => {
  await withCore(async (core) => {
    core.statuses = ["pending", "active", "failed"];
    assert.deepEqual(await core.subtasks.whenOver(9), { status: "failed" });
    assert.deepEqual(core.it.asked, Array(3).fill("GET /task/9/status?wait=25"));
  });
});

Deno.test("Subtasks.whenOver() waits no longer than it may, and tells how far the task is then", async () => {
  await withCore(async (core) => {
    core.statuses = ["active"];
    assert.deepEqual(await core.subtasks.whenOver(9, { mostMs: 300 }), { status: "active" });
    assert.equal(core.it.asked[0], "GET /task/9/status?wait=0.3");
    assert.ok(core.it.asked.length > 1);
  });
});

Deno.test("Subtasks.whenOver() ends with the run, and with who asks", async () => {
  const run = new AbortController();
  await withCore(async (core) => {
    core.statuses = ["active"];
    const asker = new AbortController();
    const asked = core.subtasks.whenOver(9, { signal: asker.signal });
    asker.abort(new Error("who asked has gone"));
    await assert.rejects(asked, /who asked has gone/);
    const ofRun = core.subtasks.whenOver(9);
    run.abort(new Error("the run is over"));
    await assert.rejects(ofRun, /the run is over/);
  }, { signal: run.signal });
});

Deno.test("Subtasks.get() passes a refusal on, and takes no answer above the limit", async () => {
  await withCore(async ({ subtasks, it }) => {
    it.answer = () => refusal(404, "no such task");
    await assert.rejects(
      subtasks.get("/task/1", createdSchema),
      (error) => error instanceof HubError && error.status === 404,
    );
    it.answer = () => Response.json({ id: 1, text: "x".repeat(2000) });
    await assert.rejects(subtasks.get("/task/1", createdSchema, { maxBytes: 1000 }), HubError);
    assert.equal((await subtasks.get("/task/1", createdSchema)).id, 1);
  });
});

Deno.test("Subtasks.openReader() reads texts and blobs up to a limit for all of them together", async () => {
  await withCore(async ({ subtasks, it }) => {
    const readStored = subtasks.openReader();
    const blob = { result: it.add(new Uint8Array(40_000)), blob_storage_used: true };
    assert.equal(await readStored({ result: null, blob_storage_used: true }), null);
    assert.equal(await readStored({ result: "", blob_storage_used: false }), null);
    const text = "x".repeat(MOST_BYTES - 100_000);
    assert.equal(await readStored({ result: text, blob_storage_used: false }), text);
    assert.equal((await readStored(blob))!.length, 40_000);
    assert.equal((await readStored(blob))!.length, 40_000);
    await assert.rejects(readStored(blob), TooLargeError);
    // Another answer has room of its own.
    assert.equal((await subtasks.openReader()(blob))!.length, 40_000);
  });
});
