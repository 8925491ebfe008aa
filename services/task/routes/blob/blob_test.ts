import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  PLAIN_INPUT,
  reporterOf,
  startTaskHub,
  useTaskHub,
} from "../../../../tests/support/task_hub.ts";
import { readBlob, writeBlob } from "../../blobs/stream.ts";
import { blobById } from "../../store/blob.ts";

const hub = useTaskHub();
const encoder = new TextEncoder();
const OCTETS = { "content-type": "application/octet-stream" };

async function countBlobs(): Promise<[blobs: number, chunks: number]> {
  const [row] = await hub().db<{ blobs: number; chunks: number }[]>`
    select (select count(*) from blob)::int as blobs, (select count(*) from blob_chunk)::int as chunks`;
  return [row!.blobs, row!.chunks];
}

Deno.test("an uploaded input travels by its UUID, to the node that is to compute and to nobody else", async () => {
  const place = await hub().place(2);
  const user = await hub().user(place);
  const uploaded = await hub().call(user, "POST /blobstream", encoder.encode(PLAIN_INPUT), OCTETS);
  assert.equal(uploaded.status, 201);
  const { uuid } = uploaded.body;
  assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  const [first, second] = place.members;
  const request = `GET /blobstream/${uuid}`;
  assert.equal((await hub().call(hub().node(place, 0), request)).status, 401);
  const task = await hub().post(user, place, {
    organizations: [
      { id: first!.organization, input: uuid },
      { id: second!.organization, input: PLAIN_INPUT },
    ],
  });
  const runs = (await hub().call(user, `GET /run?task_id=${task.id}&sort=id`)).body.data;
  assert.deepEqual(
    runs.map((
      run: { input: string; blob_storage_used: boolean },
    ) => [run.input, run.blob_storage_used]),
    [[uuid, true], [PLAIN_INPUT, false]],
  );
  const started = await reporterOf(hub(), first!.node).start(runs[0].id);
  assert.ok(started.ok);
  assert.deepEqual([started.input, started.input_blob, started.input_via_http], [null, uuid, true]);
  const download = await hub().call(hub().node(place, 0), request);
  assert.equal(download.body, PLAIN_INPUT);
  assert.equal(download.headers.get("content-type"), "application/octet-stream");
  assert.match(download.headers.get("content-disposition")!, /^attachment/);
  assert.equal(download.headers.get("content-length"), String(PLAIN_INPUT.length));
  const stranger = await hub().user(await hub().place(1));
  assert.equal((await hub().call(stranger, request)).status, 401);
  const taken = await hub().call(user, "POST /task", {
    image: "a",
    collaboration_id: place.collaboration,
    organizations: [{ id: first!.organization, input: uuid }],
  });
  assert.equal(taken.status, 400);
  const [before] = await countBlobs();
  await hub().call(user, `DELETE /task/${task.id}`);
  assert.equal((await hub().call(user, request)).status, 404);
  assert.equal((await countBlobs())[0], before - 1);
});

Deno.test("a blob is an input only for who uploaded it, and in the form the collaboration asks for", async () => {
  const place = await hub().place(1);
  const secret = await hub().place(1, { encrypted: true });
  const user = await hub().user(place);
  const other = await hub().user(place);
  const insider = await hub().user(secret);
  const upload = async (who: typeof user, content: Uint8Array) =>
    (await hub().call(who, "POST /blobstream", content, OCTETS)).body.uuid as string;
  const post = (who: typeof user, where: typeof place, input: string) =>
    hub().call(who, "POST /task", {
      image: "a",
      collaboration_id: where.collaboration,
      organizations: [{ id: where.members[0]!.organization, input }],
    });
  const plain = encoder.encode(PLAIN_INPUT);
  const head = encoder.encode(`${btoa("k".repeat(512))}$${btoa("i".repeat(16))}$`);
  const encrypted = new Uint8Array([...head, 0, 255, 1, 36]);
  assert.equal((await post(other, place, await upload(user, plain))).status, 400);
  assert.equal((await post(user, place, await upload(user, encrypted))).status, 400);
  assert.equal((await post(insider, secret, await upload(insider, plain))).status, 400);
  assert.equal((await post(insider, secret, await upload(insider, encrypted))).status, 201);
  assert.equal((await post(user, place, crypto.randomUUID())).status, 400);
});

Deno.test("a result in a blob is read like any other", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const [run] = (await hub().call(user, `GET /run?task_id=${task.id}`)).body.data;
  const node = hub().node(place);
  const agent = reporterOf(hub(), node.id);
  await agent.start(run.id);
  const { uuid } =
    (await hub().call(node, "POST /blobstream", encoder.encode("cmVzdWx0"), OCTETS)).body;
  await assert.rejects(
    agent.finish(run.id, { result: crypto.randomUUID(), in_blob: true }),
    /names a blob that this node has not uploaded/,
  );
  assert.deepEqual(await agent.finish(run.id, { result: uuid, in_blob: true }), { ok: true });
  const result = (await hub().call(user, `GET /result/${run.id}`)).body;
  assert.deepEqual([result.result, result.blob_storage_used], [uuid, true]);
  assert.equal((await hub().call(user, `GET /run/${run.id}`)).body.blob_storage_used, false);
  assert.equal((await hub().call(user, `GET /blobstream/${uuid}`)).body, "cmVzdWx0");
});

Deno.test("who may upload: creators of tasks, nodes, and containers whose task is open", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const task = await hub().post(user, place);
  const container = hub().container(place, 0, task);
  const status = async (who: typeof user) =>
    (await hub().call(who, "POST /blobstream", encoder.encode("eA=="), OCTETS)).status;
  assert.equal(await status(await hub().user(place, 0, "Viewer")), 401);
  assert.equal(await status(hub().node(place)), 201);
  assert.equal(await status(container), 201);
  await hub().call(user, "POST /kill/task", { id: task.id });
  assert.equal(await status(container), 403);
  const off = await hub().call(user, "GET /blobstream/status");
  assert.deepEqual(off.body, { blob_store_enabled: false });
  assert.equal((await hub().call(user, "GET /blobstream/nonsense")).status, 404);
  assert.equal((await hub().call(user, `GET /blobstream/${crypto.randomUUID()}`)).status, 404);
});

const LETTERS = new Uint8Array(100_000).fill(65);

function endless(bytes: number, fail?: Error): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      if (left > 0) {
        const piece = LETTERS.subarray(0, Math.min(left, LETTERS.length));
        left -= piece.length;
        return controller.enqueue(piece);
      }
      if (fail) controller.error(fail);
      else controller.close();
    },
  }, { highWaterMark: 0 });
}

Deno.test("an upload that breaks off leaves nothing behind", async () => {
  const before = await countBlobs();
  const options = { owner: "user:1", organizationId: 1, signal: new AbortController().signal };
  await assert.rejects(
    writeBlob(hub().db, { ...options, content: endless(3_000_000, new Error("cable cut")) }),
    /cable cut/,
  );
  await assert.rejects(
    writeBlob(hub().db, { ...options, content: endless(3_000_000), declaredSize: "3000001" }),
    /broke off/,
  );
  const aborted = AbortSignal.abort(new Error("gone"));
  await assert.rejects(
    writeBlob(hub().db, { ...options, signal: aborted, content: endless(3_000_000) }),
    /gone/,
  );
  assert.deepEqual(await countBlobs(), before);
});

Deno.test("tidy() removes uploads whose process died and blobs that nobody used", async () => {
  const [first] = await hub().db<{ id: string }[]>`
    insert into blob (id, owner, organization_id, touched_at)
    values (gen_random_uuid(), 'user:1', 1, now() - interval '11 minutes') returning id`;
  await hub().db`insert into blob_chunk values (${first!.id}, 0, ${new Uint8Array(9)})`;
  const content = () => endless(10);
  const options = { owner: "user:1", organizationId: 1, signal: new AbortController().signal };
  const unused = await writeBlob(hub().db, { ...options, content: content() });
  const fresh = await writeBlob(hub().db, { ...options, content: content() });
  await hub().db`update blob set touched_at = now() - interval '25 hours' where id = ${unused.id}`;
  await hub().reconciler.tidy();
  assert.equal(await blobById(hub().db, first!.id), undefined);
  assert.equal(await blobById(hub().db, unused.id), undefined);
  assert.ok(await blobById(hub().db, fresh.id));
});

Deno.test("bytes come back as they were stored, and damage is not passed over", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(65_536));
  const content = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let n = 0; n < 30; n++) controller.enqueue(bytes);
      controller.close();
    },
  });
  const signal = new AbortController().signal;
  const stored = await writeBlob(hub().db, { owner: "user:1", organizationId: 1, content, signal });
  assert.equal(stored.size, 30 * 65_536);
  const read = async () => {
    const row = (await blobById(hub().db, stored.id))!;
    const hash = createHash("sha256");
    for await (const piece of readBlob(hub().db, row)) hash.update(piece);
    return hash.digest("hex");
  };
  assert.equal(await read(), stored.sha256);
  await hub().db`
    update blob_chunk set content = set_byte(content, 5, (get_byte(content, 5) + 1) % 256)
    where blob_id = ${stored.id} and position = 1`;
  await assert.rejects(read(), /not what was stored/);
});

Deno.test("a download goes on from any byte, and an upload's answer says what has arrived", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const letters = crypto.getRandomValues(new Uint8Array(60_000)).toHex();
  const text = letters.repeat(10);
  const content = encoder.encode(text);
  const sha256 = createHash("sha256").update(content).digest("hex");
  const up = await hub().call(user, "POST /blobstream", content, OCTETS);
  assert.equal(up.headers.get("x-content-sha256"), sha256);
  const ask = (range: string) =>
    hub().call(user, `GET /blobstream/${up.body.uuid}`, undefined, { range });
  for (const from of [0, 1, 524_287, 524_288, 700_001, 1_199_999]) {
    const { status, body, headers } = await ask(`bytes=${from}-`);
    assert.equal(status, 206);
    assert.ok(body === text.slice(from), `from ${from}`);
    assert.equal(headers.get("content-length"), String(content.length - from));
    assert.equal(headers.get("content-range"), `bytes ${from}-1199999/1200000`);
    assert.equal(headers.get("x-content-sha256"), sha256);
  }
  for (const range of ["bytes=1200000-", "bytes=0-5", "bytes=-5", "lines=1-", "bytes=1-2,3-"]) {
    const { status, body } = await ask(range);
    assert.equal(status, 200, range);
    assert.equal(body.length, content.length);
  }
});

Deno.test("an empty blob is a blob", async () => {
  const signal = new AbortController().signal;
  const { id } = await writeBlob(hub().db, {
    owner: "user:1",
    organizationId: 1,
    content: null,
    signal,
  });
  const row = (await blobById(hub().db, id))!;
  assert.equal(row.size, 0);
  for await (const _ of readBlob(hub().db, row)) assert.fail("has a byte");
});

Deno.test("with the blob store enabled every input must be a UUID", async () => {
  const enabled = await startTaskHub({
    settings: { blobStoreEnabled: true },
  });
  try {
    const place = await enabled.place(1);
    const user = await enabled.user(place);
    const status = await enabled.call(user, "GET /blobstream/status");
    assert.deepEqual(status.body, { blob_store_enabled: true });
    const { organization } = place.members[0]!;
    const given = (input: string) => ({
      image: "a",
      collaboration_id: place.collaboration,
      organizations: [{ id: organization, input }],
    });
    assert.equal((await enabled.call(user, "POST /task", given(PLAIN_INPUT))).status, 400);
    const content = encoder.encode(PLAIN_INPUT);
    const { uuid } = (await enabled.call(user, "POST /blobstream", content, OCTETS)).body;
    const task = await enabled.call(user, "POST /task", given(uuid));
    assert.equal(task.status, 201);
    // An algorithm's subtask may have its input in either way.
    const container = enabled.container(place, 0, task.body);
    const uploaded = (await enabled.call(container, "POST /blobstream", content, OCTETS)).body.uuid;
    for (const input of [PLAIN_INPUT, uploaded]) {
      assert.equal((await enabled.call(container, "POST /task", given(input))).status, 201, input);
    }
  } finally {
    await enabled.stop();
  }
});

Deno.test("an organization's uploads that nothing uses are bounded", async () => {
  const small = await startTaskHub({
    settings: { maxUnusedBytes: 1000 },
  });
  try {
    const place = await small.place(2);
    const [user, neighbour] = [await small.user(place), await small.user(place, 1)];
    const input = encoder.encode(btoa('{"method": "average"}'.padEnd(450)));
    const upload = (who: typeof user) => small.call(who, "POST /blobstream", input, OCTETS);
    const first = await upload(user);
    const { uuid } = (await upload(user)).body;
    const refused = await upload(user);
    assert.deepEqual([refused.status, refused.body.code], [429, "too_many_requests"]);
    assert.match(refused.body.msg, /uploads by a user that no task or result uses/);
    assert.equal((await upload(neighbour)).status, 201);
    const organizations = [first.body.uuid, uuid].map((input, n) => ({
      id: place.members[n]!.organization,
      input,
    }));
    await small.post(user, place, { organizations });
    assert.equal((await upload(user)).status, 201);
  } finally {
    await small.stop();
  }
});

Deno.test("an algorithm that uploads fills neither the room of the organization's users nor that of other tasks", async () => {
  const small = await startTaskHub({ settings: { maxUnusedBytes: 4000 } });
  try {
    const place = await small.place(1);
    const user = await small.user(place);
    const algorithms = [
      small.container(place, 0, await small.post(user, place)),
      small.container(place, 0, await small.post(user, place)),
    ];
    const input = encoder.encode(btoa('{"method": "average"}'.padEnd(450)));
    const upload = (who: typeof user | typeof algorithms[0]) =>
      small.call(who, "POST /blobstream", input, OCTETS);
    const [looping, other] = algorithms;
    for (let n = 0; n < 2; n++) assert.equal((await upload(looping!)).status, 201);
    const refused = await upload(looping!);
    assert.equal(refused.status, 429);
    assert.match(refused.body.msg, /^Task \d+ has 0 MiB of uploads by a container/);
    assert.equal((await upload(other!)).status, 201);
    assert.equal((await upload(user)).status, 201);
  } finally {
    await small.stop();
  }
});

Deno.test("an upload ends where others have taken the room meanwhile", async () => {
  const room = 20 * 2 ** 20;
  const small = await startTaskHub({ settings: { maxUnusedBytes: room } });
  try {
    const place = await small.place(1);
    const user = await small.user(place);
    const content = new Uint8Array(2 * room);
    const answers = await Promise.all(
      [1, 2].map(() => small.call(user, "POST /blobstream", content, OCTETS)),
    );
    assert.ok(answers.some(({ status }) => status === 429), JSON.stringify(answers));
    const [row] = await small.db<{ bytes: number }[]>`
      select coalesce(sum(octet_length(content)), 0)::float8 as bytes from blob_chunk`;
    assert.ok(row!.bytes <= room + 2 * 17 * 2 ** 20, `${row!.bytes}`);
  } finally {
    await small.stop();
  }
});
