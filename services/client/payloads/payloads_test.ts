import assert from "node:assert/strict";
import { createCipheriv, createPublicKey, generateKeyPairSync } from "node:crypto";
import { fingerprintOf } from "../../../shared/contract/public_key.ts";
import type { Label } from "../../../shared/payload/label.ts";
import { readRsaPublicKey } from "../../../shared/payload/rsa_public_key.ts";
import { publicKeyText } from "../../node/encryption/keys.ts";
import { createSeal, openSealed, sealText } from "../../node/encryption/sealed.ts";
import { createSignedSeal } from "../../node/encryption/signed.ts";
import { readOrganizationKey } from "../keys/organization_key.ts";
import { type Bytes, bytesOfText, collect } from "./bytes.ts";
import { createCtr } from "./ctr.ts";
import { type OpenOptions, openPayload, type Stored } from "./open.ts";
import { payloadBlob, payloadText } from "./seal.ts";
import { sealSigned } from "./seal_signed.ts";

const own = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const key = await readOrganizationKey(own.export({ type: "pkcs1", format: "pem" }) as string);
const reader = readRsaPublicKey(publicKeyText(own));
const CONTENT = bytesOfText('{"method": "Zusammenfassen", "kwargs": {"was": "größer"}}'.repeat(50));

const nobody = () => Promise.reject(new Error("asked for a signer"));
const open = async (stored: Stored, options: Partial<OpenOptions> = {}) =>
  await collect(openPayload(stored, { key, signer: nobody, ...options }));
const inText = (text: string): Stored => ({ in: "text", text });

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Bytes> {
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.slice(at, at + size));
  }
}

Deno.test("AES-CTR piece by piece is AES-CTR of the whole, also where the counter overflows", async () => {
  const raw = crypto.getRandomValues(new Uint8Array(32));
  const bytes = crypto.getRandomValues(new Uint8Array(1000));
  for (const iv of [new Uint8Array(16), new Uint8Array(16).fill(255)]) {
    iv[15] = 254;
    const expected = createCipheriv("aes-256-ctr", raw, iv).update(bytes);
    for (const size of [1, 15, 16, 17, 333, 1000]) {
      const ctr = await createCtr(raw, iv);
      const found: number[] = [];
      for await (const piece of inPieces(bytes, size)) found.push(...await ctr.update(piece));
      found.push(...await ctr.final());
      assert.deepEqual(new Uint8Array(found), new Uint8Array(expected), `pieces of ${size}`);
    }
  }
});

Deno.test("what the client encrypts a node opens, as text and as blob, and the other way round", async () => {
  const text = await payloadText(CONTENT, reader);
  assert.deepEqual(new Uint8Array((await openSealed(text, own)).content), CONTENT);
  const blob = await collect(payloadBlob(() => inPieces(CONTENT, 100), reader));
  assert.deepEqual(new Uint8Array((await openSealed(blob, own)).content), CONTENT);

  const byNode = sealText(CONTENT, createSeal(createPublicKey(own)));
  assert.deepEqual(await open(inText(byNode)), CONTENT);
  for (const size of [1, 500, 10_000]) {
    assert.deepEqual(await open({ in: "blob", pieces: inPieces(blob, size) }), CONTENT);
  }
});

Deno.test("two payloads of the same content have nothing in common", async () => {
  const [one, two] = [await payloadText(CONTENT, reader), await payloadText(CONTENT, reader)];
  const parts = one.split("$");
  assert.equal(parts.length, 3);
  for (const [at, part] of two.split("$").entries()) assert.notEqual(part, parts[at]);
});

Deno.test("a plain payload is base64, as text and as blob", async () => {
  const text = await payloadText(CONTENT, undefined);
  assert.equal(text, CONTENT.toBase64());
  const blob = await collect(payloadBlob(() => inPieces(CONTENT, 100), undefined));
  assert.equal(new TextDecoder().decode(blob), text);
  const plain = { key: undefined };
  assert.deepEqual(await open(inText(text), plain), CONTENT);
  for (const size of [1, 7, 1000]) {
    assert.deepEqual(await open({ in: "blob", pieces: inPieces(blob, size) }, plain), CONTENT);
  }
  await assert.rejects(open(inText(await payloadText(CONTENT, reader)), plain), /no key was given/);
  await assert.rejects(open(inText("%%%")), /not encrypted/);
  await assert.rejects(open(inText("%%%"), plain), /not base64/);
});

const LABEL: Label = {
  is: "result",
  collaboration_id: 1,
  from: 2,
  key: fingerprintOf(createPublicKey(other)),
  to: [1],
  run_id: 5,
  parent_id: 5,
  at: "2026-11-27T10:00:00.000Z",
  task_id: 6,
  result_id: 7,
  answers: "0".repeat(64),
};

Deno.test("a signed payload opens once its signer is known, and not when anything of it was changed", async () => {
  const keys = { reader: createPublicKey(own), writer: other };
  const text = sealText(CONTENT, createSignedSeal(LABEL, keys));
  const signer = (label: Label) => {
    assert.deepEqual(label, LABEL);
    return Promise.resolve(readRsaPublicKey(publicKeyText(other)));
  };
  assert.deepEqual(await open(inText(text), { signer }), CONTENT);
  const byOwn = () => Promise.resolve(reader);
  await assert.rejects(open(inText(text), { signer: byOwn }), /organization 2 has not signed it/);
  const [header, iv, ciphertext] = text.split("$") as [string, string, string];
  const bytes = Uint8Array.fromBase64(ciphertext);
  for (const at of [0, bytes.length - 300, bytes.length - 1]) {
    const changed = new Uint8Array(bytes);
    changed[at]! ^= 1;
    await assert.rejects(
      open(inText([header, iv, changed.toBase64()].join("$")), { signer }),
      /damaged, or encrypted for another key/,
    );
  }
  const foreign = createSignedSeal(LABEL, { reader: createPublicKey(other), writer: other });
  await assert.rejects(open(inText(sealText(CONTENT, foreign)), { signer }), /damaged/);
});

Deno.test("what the client signs a node opens, as text and as blob, and knows who has written it", async () => {
  const { to: _, ...common } = LABEL;
  const label = {
    is: "request" as const,
    collaboration_id: common.collaboration_id,
    from: 1,
    key: key.fingerprint,
    to: [2],
    at: common.at,
    image: "deno:average@1.0.0",
  };
  const sealed = await sealSigned(CONTENT, label, {
    reader: readRsaPublicKey(publicKeyText(other)),
    writer: key,
  });
  const judge = (signer: typeof own) => ({
    unsigned: () => assert.fail("it is signed"),
    signed(found: Label) {
      assert.deepEqual(found, label);
      return Promise.resolve(createPublicKey(signer));
    },
  });
  for (const stored of [sealed.text(), await collect(sealed.blob())]) {
    const { content, origin } = await openSealed(stored, other, judge(own));
    assert.deepEqual(new Uint8Array(content), CONTENT);
    assert.deepEqual(origin, { id: sealed.id, signed: true });
    await assert.rejects(openSealed(stored, other, judge(other)), /has not signed it/);
    await assert.rejects(openSealed(stored, own, judge(own)), /damaged/);
  }
});
