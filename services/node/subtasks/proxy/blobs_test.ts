import assert from "node:assert/strict";
import { type BlobHub, digestOf, startBlobHub } from "../../../../tests/support/blob_hub.ts";
import { temporaryFolder, waitFor } from "../../../../tests/harness.ts";
import { newPrivateKey, publicKeyText, readPrivateKey } from "../../encryption/keys.ts";
import { fingerprintOf } from "../../../../shared/contract/public_key.ts";
import {
  CENTRAL,
  KEYS,
  PART,
  payloadsOf,
  publicKeyOfOrganization,
  sealBlob,
  unsignedSeal,
} from "../../../../tests/support/payloads.ts";
import { GRANT, openRunProxy } from "../../../../tests/support/run_proxy.ts";
import { payloadId } from "../../encryption/payload_id.ts";
import type { Format } from "../../encryption/sealed.ts";
import { type Correspondence, createCorrespondence } from "../correspondence.ts";
import { plainPayloads } from "../payload_codec.ts";
import { createProxyToken } from "./token.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const own = KEYS[3]!;
const other = KEYS[4]!;
const stranger = readPrivateKey(await newPrivateKey(2048));
const token = createProxyToken(GRANT);
const content = crypto.getRandomValues(new Uint8Array(65_536)).map((byte) => byte % 26 + 97);

interface BlobsOfRun {
  it: BlobHub;
  /** What was noted of inputs that left. */
  left: { bytes: number; sha256: string; key: string | null }[];
  correspondence: Correspondence;
  ask: (method: string, path: string, options?: Asking) => Promise<Response>;
  files: () => Promise<string[]>;
}

interface Asking {
  body?: BodyInit;
  headers?: Record<string, string>;
  token?: string;
}

async function withProxy(
  { encrypted = false, enabled = true, format = "field" }: {
    encrypted?: boolean;
    enabled?: boolean;
    /** How the node of organization 4 reads. */
    format?: Format;
  },
  use: (blobs: BlobsOfRun) => Promise<void>,
): Promise<void> {
  const it = startBlobHub();
  it.answer = (_request, path) => {
    if (path === "/blobstream/status") return Response.json({ blob_store_enabled: enabled });
    if (path === "/organization?collaboration_id=2") {
      return Response.json({
        data: [
          { id: 3, public_key: publicKeyText(own) },
          { id: 4, public_key: publicKeyText(other) },
          { id: 5 },
        ],
      });
    }
    return Response.json({ msg: "none" }, { status: 404 });
  };
  const folder = await temporaryFolder();
  const left: BlobsOfRun["left"] = [];
  const note = (blob: BlobsOfRun["left"][0]) => Promise.resolve(void left.push(blob));
  const correspondence = createCorrespondence();
  const codec = encrypted
    ? payloadsOf(3, { format }).codecOf(CENTRAL, correspondence)
    : plainPayloads;
  const blobs = `${folder.path}/blobs`;
  await Deno.mkdir(blobs);
  const proxy = await openRunProxy({
    folder: folder.path,
    hub: it.hub,
    token,
    codec,
    correspondence,
    blobs: { folder: blobs, maxBytes: 2 ** 20, onInput: note },
  });
  try {
    await use({
      it,
      left,
      correspondence,
      files: async () => (await Array.fromAsync(Deno.readDir(blobs))).map(({ name }) => name),
      async ask(method, path, { body, headers = {}, token: given = token } = {}) {
        const request = new Request(`http://127.0.0.1${path}`, {
          method,
          headers: { authorization: `Bearer ${given}`, ...headers },
          ...(body === undefined ? {} : { body }),
        });
        const { promise: completed, resolve } = Promise.withResolvers<void>();
        const answer = await proxy(request, { completed });
        if (!answer.body || method === "HEAD") resolve();
        const sent = answer.body?.pipeThrough(
          new TransformStream({ flush: () => resolve(), cancel: () => resolve() }),
        );
        return new Response(sent, answer);
      },
    });
  } finally {
    await it.stop();
    await folder.remove();
  }
}

function chunks(bytes: Bytes, size: number): ReadableStream<Bytes> {
  return ReadableStream.from((function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
  })());
}

Deno.test("the proxy's blobs are this run's alone, and their status is the hub's", async () => {
  for (const enabled of [true, false]) {
    await withProxy({ enabled }, async ({ ask, it }) => {
      const id = it.add(content);
      for (const [method, path] of [["GET", "status"], ["GET", id], ["POST", ""]] as const) {
        const asked = path ? `/blobstream/${path}` : "/blobstream";
        const { status } = await ask(method, asked, { token: createProxyToken(GRANT) });
        assert.equal(status, 401, asked);
      }
      assert.deepEqual(it.asked, []);
      const status = await (await ask("GET", "/blobstream/status")).json();
      assert.deepEqual(status, { blob_store_enabled: enabled });
      assert.equal((await ask("GET", `/blobstream/${crypto.randomUUID()}`)).status, 404);
      assert.equal((await ask("GET", "/blobstream/nonsense")).status, 403);
    });
  }
});

Deno.test("an upload in a plain collaboration becomes base64, a download content again", async () => {
  await withProxy({}, async ({ ask, it, left, files }) => {
    for (const size of [1, 2, 1000, 48_000, 65_536]) {
      const bytes = content.subarray(0, size);
      const response = await ask("POST", "/blobstream", { body: chunks(bytes, 777) });
      assert.equal(response.status, 201);
      const { uuid } = await response.json();
      const stored = it.blobs.get(uuid)!;
      assert.equal(new TextDecoder().decode(stored), bytes.toBase64());
      assert.deepEqual(left.at(-1), { bytes: stored.length, sha256: digestOf(stored), key: null });
      const back = await ask("GET", `/blobstream/${uuid}`);
      assert.equal(back.headers.get("content-type"), "application/octet-stream");
      assert.deepEqual(await back.bytes(), bytes);
    }
    assert.deepEqual(await files(), []);
  });
});

Deno.test("an upload in an encrypted collaboration can be read by whom it is for", async () => {
  for (const format of ["field", "authenticated"] as const) {
    await withProxy({ encrypted: true, format }, async ({ ask, it, files, left }) => {
      const headers = { "x-public-key": publicKeyText(other) };
      const response = await ask("POST", "/blobstream", { body: chunks(content, 5000), headers });
      assert.equal(response.status, 201);
      const { uuid } = await response.json();
      const stored = it.blobs.get(uuid)!;
      const opened = await payloadsOf(4).openInput(stored, PART);
      assert.deepEqual(new Uint8Array(opened.content), content);
      assert.equal(opened.origin!.signed, format === "authenticated");
      assert.equal(left[0]!.key, fingerprintOf(publicKeyOfOrganization(4)));
      assert.deepEqual(await files(), []);
    });
  }
});

Deno.test("an upload in an encrypted collaboration needs the key of one of its organizations", async () => {
  await withProxy({ encrypted: true }, async ({ ask, it, left }) => {
    const keys = [
      [undefined, /X-Public-Key is missing/],
      ["nonsense", /X-Public-Key is wrong/],
      [publicKeyText(stranger), /of no organization/],
    ] as const;
    for (const [key, reason] of keys) {
      const headers: Record<string, string> = key ? { "x-public-key": key } : {};
      const response = await ask("POST", "/blobstream", { body: content, headers });
      assert.equal(response.status, 400);
      assert.match((await response.json()).msg, reason);
    }
    assert.deepEqual([it.blobs.size, left.length], [0, 0]);
  });
});

Deno.test("an upload that is too large, or breaks off, leaves nothing; one that arrives damaged is sent again", async () => {
  await withProxy({}, async ({ ask, it, files }) => {
    const large = await ask("POST", "/blobstream", { body: chunks(new Uint8Array(2 ** 20), 5000) });
    assert.equal(large.status, 413);
    assert.match((await large.json()).msg, /larger than the 1 MiB/);
    const broken = new ReadableStream<Bytes>({
      start: (controller) => controller.enqueue(new Uint8Array(1000)),
      pull: (controller) => controller.error(new Error("gone")),
    });
    assert.equal((await ask("POST", "/blobstream", { body: broken })).status, 500);
    assert.equal(it.blobs.size, 0);
    it.lies.digestOfUpload = "0".repeat(64);
    const { uuid } = await (await ask("POST", "/blobstream", { body: content })).json();
    assert.equal(it.asked.filter((one) => one === "POST /blobstream").length, 2);
    assert.equal(new TextDecoder().decode(it.blobs.get(uuid)), content.toBase64());
    assert.deepEqual(await files(), []);
  });
});

/** A result of organization 4 in answer to an input that was sent in task 9. */
async function answer(correspondence: Correspondence, format: Format): Promise<Bytes> {
  if (format === "field") return sealBlob(content, unsignedSeal(3));
  const codec = payloadsOf(3).codecOf(CENTRAL, correspondence);
  const input = await codec.encode(btoa("{}"), 4);
  await correspondence.asked(9, [{ id: 4, input }]);
  const seal = await payloadsOf(4).seal(PART, { id: payloadId(input)!, signed: true });
  return sealBlob(content, seal!);
}

Deno.test("a download is decrypted, in either format, through connections that break off", async () => {
  await withProxy({ encrypted: true }, async ({ ask, it, files, correspondence }) => {
    for (const format of ["field", "authenticated"] as const) {
      const id = it.add(await answer(correspondence, format));
      it.breaks = [20_000, 7];
      const response = await ask("GET", `/blobstream/${id}`);
      assert.equal(response.status, 200);
      assert.deepEqual(await response.bytes(), content, format);
    }
    await waitFor(async () => (await files()).length === 0, { what: "the files to be gone" });
  });
});

Deno.test("of a download that was tampered with, nothing is delivered", async () => {
  await withProxy({ encrypted: true }, async ({ ask, it, files, correspondence }) => {
    const whole = await answer(correspondence, "authenticated");
    for (const at of [whole.length - 60_000, whole.length - 300, whole.length - 1]) {
      const changed = whole.slice();
      changed[at]! ^= 1;
      const response = await ask("GET", `/blobstream/${it.add(changed)}`);
      assert.equal(response.status, 422);
      assert.match((await response.json()).msg, /cannot be read: it was damaged/);
    }
    const { status } = await ask("GET", `/blobstream/${it.add(content)}`);
    assert.equal(status, 422, "not encrypted at all");
    // The next one still gets its turn, also after one that nobody reads.
    await ask("HEAD", `/blobstream/${it.add(whole)}`);
    assert.deepEqual(await (await ask("GET", `/blobstream/${it.add(whole)}`)).bytes(), content);
    await waitFor(async () => (await files()).length === 0, { what: "the files to be gone" });
  });
});

Deno.test("a blob that the hub gives out as another organization's result is refused", async () => {
  await withProxy({ encrypted: true }, async ({ ask, it, correspondence }) => {
    const id = it.add(await answer(correspondence, "authenticated"));
    assert.equal((await ask("GET", "/blobstream/status")).status, 200);
    const basic = it.answer;
    it.answer = async (request, path) => {
      if (path === "/run?task_id=9") {
        const data = [{ id: 21, organization: { id: 5 } }, { id: 22, organization: { id: 4 } }];
        return Response.json({ data, links: {} });
      }
      if (path !== "/result?task_id=9") return await basic(request, path);
      return Response.json({ data: [{ id: 22, result: id, blob_storage_used: true }], links: {} });
    };
    await ask("GET", "/run?task_id=9");
    await ask("GET", "/result?task_id=9");
    const response = await ask("GET", `/blobstream/${id}`);
    assert.equal(response.status, 422);
    assert.match((await response.json()).msg, /it is result 21, not result 22/);
  });
});

Deno.test("large results are put into one answer up to a limit, and one answer after the other", async () => {
  await withProxy({}, async ({ ask, it }) => {
    const blob = new Uint8Array(30 * 2 ** 20).fill(65);
    const ids = [it.add(blob), it.add(blob), it.add(blob)];
    let many = 2;
    it.answer = (_, path) => {
      if (path === "/result/1") return Response.json({ id: 1, result: "MQ==" });
      const data = ids.slice(0, many).map((result, id) => ({
        id,
        result,
        blob_storage_used: true,
      }));
      return Response.json({ data, links: {} });
    };
    const large = await ask("GET", "/result?task_id=9");
    const later = ask("GET", "/result/1");
    const asked = it.asked.length;
    const { data } = await large.json();
    assert.equal(it.asked.length, asked, "the next one waits until this one has been read");
    assert.deepEqual(data.map(({ result }: { result: string }) => result.length), [
      blob.length,
      blob.length,
    ]);
    assert.equal((await later).status, 200);

    await (await ask("GET", "/result?task_id=9")).body!.cancel();
    await ask("HEAD", "/result?task_id=9");
    many = 3;
    const refused = await ask("GET", "/result?task_id=9");
    assert.equal(refused.status, 422);
    assert.match((await refused.json()).msg, /larger than the 64 MiB .* in one answer/);
  });
});

Deno.test("what the hub says is not taken when it is larger than an answer may be", async () => {
  await withProxy({}, async ({ ask, it }) => {
    it.answer = () => {
      const piece = new TextEncoder().encode(" ".repeat(2 ** 20));
      return new Response(ReadableStream.from(Array(65).fill(piece)));
    };
    const response = await ask("GET", "/run?task_id=9");
    assert.equal(response.status, 422);
    assert.match((await response.json()).msg, /answer is larger than 64 MiB/);
  });
});

Deno.test("a task is refused once more has come than may, whatever its length is said to be", async () => {
  await withProxy({}, async ({ ask, it }) => {
    const piece = new TextEncoder().encode(" ".repeat(2 ** 20));
    let taken = 0;
    const endless = new ReadableStream<Bytes>({
      pull(controller) {
        taken++;
        controller.enqueue(piece.slice());
      },
    });
    const response = await ask("POST", "/task", { body: endless });
    assert.equal(response.status, 413);
    assert.match((await response.json()).msg, /larger than the 64 MiB/);
    assert.ok(taken < 80, `${taken} MiB were taken`);
    assert.deepEqual(it.asked, []);
  });
});

Deno.test("a subtask names its blobs, and large results stay blobs for those who know them", async () => {
  await withProxy({ encrypted: true }, async ({ ask, it }) => {
    const id = it.add(sealBlob(content, unsignedSeal(3)));
    const basic = it.answer;
    let posted: unknown;
    it.answer = async (request, path) => {
      if (path === "/task") {
        posted = await request.json();
        return Response.json({ id: 9 }, { status: 201 });
      }
      if (path !== "/result?task_id=9") return await basic(request, path);
      return Response.json({ data: [{ id: 1, result: id, blob_storage_used: true }], links: {} });
    };
    const results = async () => (await (await ask("GET", "/result?task_id=9")).json()).data[0];
    assert.deepEqual(await results(), {
      id: 1,
      result: content.toBase64(),
      blob_storage_used: false,
    });
    assert.equal((await ask("GET", "/blobstream/status")).status, 200);
    assert.deepEqual(await results(), { id: 1, result: id, blob_storage_used: true });
    const body = JSON.stringify({ organizations: [{ id: 3, input: id }] });
    assert.equal((await ask("POST", "/task", { body })).status, 201);
    assert.deepEqual(posted, { ...JSON.parse(body), parent_attempt: 1 });
  });
});
