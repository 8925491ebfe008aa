/**
 * What the worker does, without a browser: both formats of encrypted payloads, bounds, trees.
 * @module
 */
import assert from "node:assert/strict";
import { newOrganizationKey, readOrganizationKey } from "../../../client/mod.ts";
import { payloadText } from "../../../client/payloads/seal.ts";
import { sealSigned } from "../../../client/payloads/seal_signed.ts";
import { readRsaPublicKey } from "../../../../shared/payload/rsa_public_key.ts";
import type { Opening, PageCalls, WorkerCalls } from "./calls.ts";
import { createHolder, partsAt } from "./holder.ts";
import type { Remote } from "./port.ts";

const pem = await newOrganizationKey(2048);
const key = await readOrganizationKey(pem);
const reader = readRsaPublicKey(key.publicKey);
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function holderWith(signer: PageCalls["signer"]): WorkerCalls {
  const page = { call: (_: string, given: never) => signer(given), end() {} };
  return createHolder(() => page as unknown as Remote<PageCalls>);
}

const holder = () => holderWith(() => Promise.reject(new Error("nobody has signed it")));

const opening = (text: string, more: Partial<Opening> = {}): Opening => ({
  id: 1,
  result: { in: "text", text },
  encrypted: true,
  signedOnly: false,
  description: undefined,
  input: undefined,
  ...more,
});

Deno.test("a holder opens what is encrypted in v6's format, and plain results without a key", async () => {
  const one = holder();
  assert.equal((await one.useKey(new Blob([pem]))).fingerprint, key.fingerprint);
  const sealed = await one.open(opening(await payloadText(bytes({ n: 3 }), reader)));
  assert.deepEqual(sealed.small, [["n", 3]]);
  const plain = await payloadText(bytes({ n: 4 }), undefined);
  assert.deepEqual((await holder().open(opening(plain, { encrypted: false }))).small, [["n", 4]]);
});

Deno.test("a holder opens a signed payload only when the page says by whose key it is signed", async () => {
  const label = {
    is: "request" as const,
    collaboration_id: 1,
    from: 1,
    key: key.fingerprint,
    to: [1],
    at: new Date().toISOString(),
    image: "deno:a",
  };
  const text = (await sealSigned(bytes({ n: 5 }), label, { reader, writer: key })).text();
  const good = holderWith(({ label }) => {
    assert.equal(label.from, 1);
    return Promise.resolve(reader);
  });
  await good.useKey(new Blob([pem]));
  assert.deepEqual((await good.open(opening(text, { signedOnly: true }))).small, [["n", 5]]);
  const other = holder();
  await other.useKey(new Blob([pem]));
  await assert.rejects(other.open(opening(text)), /nobody has signed it/);
});

Deno.test("a holder says that a wrong key opens nothing, and what is wrong with a file", async () => {
  const one = holder();
  await one.useKey(new Blob([await newOrganizationKey(2048)]));
  const sealed = await payloadText(bytes({ text: "x".repeat(200) }), reader);
  await assert.rejects(one.open(opening(sealed)), /damaged, or encrypted for another key/);
  await assert.rejects(one.useKey(new Blob(["hello"])), /no private key for RSA/);
  await assert.rejects(one.open(opening(sealed)), /There is no key/);
  const locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----";
  await assert.rejects(one.useKey(new Blob([locked])), /pass phrase/);
});

Deno.test("a holder gives the first rows of a long table, the others when they are asked for", async () => {
  const one = holder();
  const rows = Array.from({ length: 5000 }, (_, row) => ({ row, text: "x".repeat(2000) }));
  const text = await payloadText(bytes(rows), undefined);
  const { pieces: [piece] } = await one.open(opening(text, { encrypted: false }));
  assert.ok(piece?.is === "table");
  assert.equal(piece.rows, 5000);
  assert.equal(piece.table.rows.length, 12);
  assert.equal((piece.table.rows[0]![1] as string).length, 501);
  const more = await one.rows({ id: 1, piece: 0, from: 4990, count: 100 });
  assert.equal(more.length, 10);
  assert.equal(more[9]![0], 4999);
  const file = await one.file({ id: 1, piece: 0, as: "csv" });
  assert.equal((await file.text()).split("\r\n")[5000], `4999,${"x".repeat(2000)}`);
  assert.equal(await (await one.file({ id: 1, as: "json" })).text(), JSON.stringify(rows));
});

Deno.test("a holder names the method that was called, or the only one with such parts", async () => {
  const one = holder();
  const method = (name: string) => ({
    help: "h",
    arguments: {},
    outputs: [{ name, kind: "count" as const, help: "h" }],
  });
  const description = {
    name: "a",
    version: "1.0.0",
    summary: "s",
    methods: { first: method("n"), second: method("n"), third: method("m") },
  };
  const open = async (value: unknown, input?: unknown) =>
    await one.open(opening(await payloadText(bytes(value), undefined), {
      encrypted: false,
      description,
      input: input === undefined
        ? undefined
        : { in: "text", text: await payloadText(bytes(input), undefined) },
    }));
  assert.equal((await open({ m: 1 })).method, "third");
  const unsure = await open({ n: 1 });
  assert.deepEqual([unsure.method, unsure.methods], [undefined, ["first", "second"]]);
  const told = await open({ n: 1 }, { method: "second", kwargs: {} });
  assert.deepEqual([told.method, told.isCertain], ["second", true]);
});

Deno.test("partsAt() walks own parts alone", () => {
  const value = { list: [1, { a: null }] };
  assert.deepEqual(partsAt(value, { path: ["list", 1], from: 0, count: 10 }), [
    { key: "a", is: "plain", size: 0, value: null },
  ]);
  assert.deepEqual(partsAt(value, { path: ["constructor"], from: 0, count: 10 }), []);
  assert.deepEqual(partsAt(value, { path: [], from: 0, count: 10 }), [
    { key: "list", is: "list", size: 2, value: null },
  ]);
});
