import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import fc from "fast-check";
import { collect, PIECE, type Pieces } from "../payload/pieces.ts";
import { createBase64Opener, createBase64Seal } from "./base64.ts";
import { newPrivateKey, publicKeyText, readPrivateKey, readPublicKey } from "./keys.ts";
import { openPieces, sealPieces } from "./opening.ts";
import {
  inputLabel,
  KEYS,
  publicKeyOfOrganization,
  signedSeal,
} from "../../../tests/support/payloads.ts";
import { ANY_UNSIGNED, createBlobOpener, createSeal, openSealed } from "./sealed.ts";
import { UnreadableError } from "../../../shared/payload/unreadable_error.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const privateKey = readPrivateKey(await newPrivateKey(2048));
const publicKey = readPublicKey(publicKeyText(privateKey));

/** Believes what is signed by whom it names. */
const judge = {
  ...ANY_UNSIGNED,
  signed: ({ from }: { from: number }) => Promise.resolve(publicKeyOfOrganization(from)),
};

const bytesOf = (size: number): Bytes => {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) {
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
};

/** Pieces of these sizes, over and over, all in the same memory, as files are read. */
async function* cut(bytes: Bytes, ...sizes: number[]): Pieces & AsyncGenerator<Bytes> {
  const memory = new Uint8Array(Math.max(...sizes));
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const part = bytes.subarray(at, at + sizes[turn % sizes.length]!);
    memory.set(part);
    yield memory.subarray(0, part.length);
    memory.fill(0);
    at += part.length;
  }
}

/** A blob by v6's recipe (HTTP contract §7.3, §7.4), with node:crypto alone and all at once. */
function byRecipe(content: Uint8Array): Bytes {
  const key = crypto.randomBytes(32);
  const iv = crypto.randomBytes(16);
  const wrapped = crypto.publicEncrypt(
    { key: publicKey, padding: crypto.constants.RSA_PKCS1_PADDING },
    key,
  );
  const cipher = crypto.createCipheriv("aes-256-ctr", key, iv);
  const head = `${wrapped.toString("base64")}$${iv.toString("base64")}$`;
  return new Uint8Array(Buffer.concat([Buffer.from(head), cipher.update(content), cipher.final()]));
}

/** The same backwards. */
function openByRecipe(blob: Bytes): Bytes {
  const bytes = Buffer.from(blob);
  const first = bytes.indexOf("$");
  const second = bytes.indexOf("$", first + 1);
  const part = (from: number, to: number) =>
    Buffer.from(bytes.subarray(from, to).toString(), "base64");
  const key = crypto.privateDecrypt(
    { key: privateKey, padding: crypto.constants.RSA_PKCS1_PADDING },
    part(0, first),
  );
  const decipher = crypto.createDecipheriv("aes-256-ctr", key, part(first + 1, second));
  return new Uint8Array(
    Buffer.concat([decipher.update(bytes.subarray(second + 1)), decipher.final()]),
  );
}

const SIZES = [0, 1, 15, 16, 17, 4095, PIECE - 17, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5];

Deno.test("sealPieces() makes what v6's recipe reads, openPieces() reads what it makes", async () => {
  for (const size of SIZES) {
    const content = bytesOf(size);
    const sealed = await collect(sealPieces(cut(content, PIECE), createSeal(publicKey)));
    assert.deepEqual(openByRecipe(sealed), content, String(size));
    const blob = byRecipe(content);
    const opened = await collect(openPieces(cut(blob, PIECE), createBlobOpener(privateKey)));
    assert.deepEqual(opened, content, String(size));
  }
});

Deno.test("openPieces() opens both formats, however what comes is cut", async () => {
  const content = bytesOf(1000);
  for (const format of ["field", "authenticated"] as const) {
    const seal = format === "field" ? createSeal(publicKey) : signedSeal(inputLabel());
    const key = format === "field" ? privateKey : KEYS[4]!;
    const blob = await collect(sealPieces(cut(content, 7, 300), seal));
    assert.deepEqual(new Uint8Array((await openSealed(blob, key, judge)).content), content);
    for (const sizes of [[1], [15, 1], [16], [17, 2], [370, 1, 40], [5000]]) {
      const opener = createBlobOpener(key, judge);
      const opened = await collect(openPieces(cut(blob, ...sizes), opener));
      assert.deepEqual(opened, content, `${format} in ${sizes}`);
      assert.equal(opener.authenticated, format === "authenticated");
    }
  }
});

Deno.test("openPieces() of the authenticated format ends in an error after any change of a bit, or a cut", async () => {
  for (const size of [0, 1, 40, PIECE + 3]) {
    const seal = signedSeal(inputLabel());
    const blob = await collect(sealPieces(cut(bytesOf(size), PIECE), seal));
    const open = (bytes: Bytes) =>
      collect(openPieces(cut(bytes, 1000), createBlobOpener(KEYS[4]!, judge)));
    assert.equal((await open(blob)).length, size);
    const start = seal.header.length;
    const places = [start, start + size - 1, start + size, blob.length - 1, 20, start - 3];
    for (const at of places.filter((at) => at < blob.length)) {
      const changed = blob.slice();
      changed[at]! ^= 1;
      await assert.rejects(open(changed), UnreadableError, `${at} of ${blob.length}`);
    }
    for (const length of [start, start + 5, blob.length - 1]) {
      await assert.rejects(open(blob.slice(0, length)), UnreadableError, `cut at ${length}`);
    }
    await assert.rejects(open(new Uint8Array([...blob, 0])), UnreadableError, "one byte more");
  }
});

Deno.test("openPieces() refuses what has no header, without holding much of it", async () => {
  const open = (bytes: Bytes) => collect(openPieces(cut(bytes, 999), createBlobOpener(privateKey)));
  for (const text of ["", "abc", "a$b", "a$b$c", "$$", `${"A".repeat(344)}$AAAA$xx`]) {
    await assert.rejects(open(new TextEncoder().encode(text)), UnreadableError, text);
  }
  let asked = 0;
  async function* endless() {
    for (;;) yield new Uint8Array(1000).fill(65 + asked++ % 2);
  }
  await assert.rejects(
    collect(openPieces(endless(), createBlobOpener(privateKey))),
    /not encrypted/,
  );
  assert.ok(asked < 20);
});

Deno.test("base64 is written and read in pieces as in one", async () => {
  for (const size of SIZES) {
    const content = bytesOf(size);
    const text = await collect(sealPieces(cut(content, PIECE, 1, 2), createBase64Seal()));
    assert.equal(new TextDecoder().decode(text), content.toBase64());
    for (const sizes of [[PIECE], [1000, 1, 2, 3]]) {
      const opened = await collect(openPieces(cut(text, ...sizes), createBase64Opener()));
      assert.deepEqual(opened, content);
    }
  }
});

Deno.test("base64 is read with the same leniency, and refused for the same reasons, as in one", async () => {
  const texts = fc.string({
    unit: fc.constantFrom("A", "b", "9", "/", "+", "=", "\n", " ", "-", "é"),
  });
  await fc.assert(
    fc.asyncProperty(texts, fc.integer({ min: 1, max: 5 }), async (text, size) => {
      const bytes = new TextEncoder().encode(text);
      let expected: Bytes | undefined;
      try {
        expected = Uint8Array.fromBase64(new TextDecoder("latin1").decode(bytes));
      } catch { /* none */ }
      const opening = collect(openPieces(cut(bytes, size), createBase64Opener()));
      if (expected) assert.deepEqual(await opening, expected, JSON.stringify(text));
      else await assert.rejects(opening, UnreadableError, JSON.stringify(text));
    }),
    { numRuns: 2000 },
  );
});
