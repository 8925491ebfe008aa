import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { newPrivateKey, publicKeyText, readPrivateKey, readPublicKey } from "./keys.ts";
import { createSeal, openSealed, sealText } from "./sealed.ts";
import { RefusedPayloadError, UnreadableError } from "../../../shared/payload/unreadable_error.ts";

const privateKey = readPrivateKey(await newPrivateKey(2048));
const publicKey = readPublicKey(publicKeyText(privateKey));
const message = new TextEncoder().encode('{"method": "central", "kwargs": {"column": "älter"}}');

async function open(payload: string | Uint8Array): Promise<Uint8Array> {
  return (await openSealed(payload, privateKey)).content;
}

/** v6's recipe, written out with node:crypto alone. */
function byRecipe(content: Uint8Array, { keyText = false } = {}): string {
  const key = crypto.randomBytes(32);
  const iv = crypto.randomBytes(16);
  const wrapped = crypto.publicEncrypt(
    { key: publicKey, padding: crypto.constants.RSA_PKCS1_PADDING },
    keyText ? Buffer.from(key.toString("base64")) : key,
  );
  const cipher = crypto.createCipheriv("aes-256-ctr", key, iv);
  const ciphertext = Buffer.concat([cipher.update(content), cipher.final()]);
  return [wrapped, iv, ciphertext].map((part) => part.toString("base64")).join("$");
}

/** The same backwards. */
function openByRecipe(payload: string): Uint8Array {
  const [wrapped, iv, ciphertext] = payload.split("$").map((part) => Buffer.from(part, "base64"));
  const key = crypto.privateDecrypt(
    { key: privateKey, padding: crypto.constants.RSA_PKCS1_PADDING },
    wrapped!,
  );
  const decipher = crypto.createDecipheriv("aes-256-ctr", key, iv!);
  return new Uint8Array(Buffer.concat([decipher.update(ciphertext!), decipher.final()]));
}

Deno.test("openSealed() reads what v6's recipe makes, and the recipe reads what sealText() makes", async () => {
  for (const content of [message, new Uint8Array(), crypto.randomBytes(100_000)]) {
    assert.deepEqual([...await open(byRecipe(content))], [...content]);
    assert.deepEqual([...openByRecipe(sealText(content, createSeal(publicKey)))], [...content]);
  }
});

Deno.test("openSealed() takes a key that was base64 before it was wrapped, as browsers do", async () => {
  for (let count = 0; count < 20; count++) {
    const payload = byRecipe(message, { keyText: true });
    assert.deepEqual([...await open(payload)], [...message]);
  }
});

Deno.test("createSeal() makes a blob: the same header, then the raw ciphertext", async () => {
  const seal = createSeal(publicKey);
  const pieces = [message.subarray(0, 7), message.subarray(7)].map((one) => seal.update(one));
  const blob = Buffer.concat([Buffer.from(seal.header), ...pieces, seal.final()]);
  assert.deepEqual([...await open(new Uint8Array(blob))], [...message]);
});

Deno.test("openSealed() does not tell a wrong padding from a wrong key", async () => {
  const [wrapped, iv, ciphertext] = byRecipe(message).split("$") as [string, string, string];
  const block = Buffer.alloc(256, 0x11);
  const paddings: [string, (bytes: Buffer) => void][] = [
    ["the first byte is not 0", (bytes) => bytes[0] = 1],
    ["the second byte is not 2", (bytes) => bytes[1] = 1],
    ["no separator", (bytes) => bytes[223] = 7],
    ["a separator too early", (bytes) => bytes[50] = 0],
    ["a separator in the first eight", (bytes) => bytes[4] = 0],
  ];
  for (const [what, spoil] of paddings) {
    const bytes = Buffer.from(block);
    bytes.set([0, 2], 0);
    bytes[223] = 0;
    spoil(bytes);
    const raw = crypto.publicEncrypt(
      { key: publicKey, padding: crypto.constants.RSA_NO_PADDING },
      bytes,
    ).toString("base64");
    const payload = [raw, iv, ciphertext].join("$");
    const first = await open(payload);
    assert.equal(first.length, message.length, what);
    assert.deepEqual(await open(payload), first, "the same noise each time");
    assert.notDeepEqual([...first], [...message]);
  }
  assert.notEqual(wrapped, "");
});

Deno.test("a payload of the version before is refused, and it is said what to do", async () => {
  const key = crypto.randomBytes(32);
  const oaep = { padding: crypto.constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
  const wrapped = Buffer.concat([
    Buffer.from("sextant1"),
    crypto.publicEncrypt({ key: publicKey, ...oaep }, key),
  ]);
  const iv = crypto.randomBytes(16);
  const cipher = crypto.createCipheriv("aes-256-gcm", key, iv).setAAD(wrapped);
  const ciphertext = Buffer.concat([cipher.update(message), cipher.final(), cipher.getAuthTag()]);
  const payload = [wrapped, iv, ciphertext].map((part) => part.toString("base64")).join("$");
  await assert.rejects(
    open(payload),
    (error) =>
      error instanceof RefusedPayloadError &&
      /version before, which does not say who wrote it.*have the task done again/.test(
        error.message,
      ),
  );
});

Deno.test("openSealed() refuses what is no sealed payload", async () => {
  for (const text of ["", "abc", "a$b", "$$", "!!$AAAA$AAAA", `${"A".repeat(344)}$AAAA$AAAA`]) {
    await assert.rejects(open(text), UnreadableError, text);
  }
});

Deno.test("readPublicKey() and readPrivateKey() say what is wrong", () => {
  assert.throws(() => readPrivateKey("nothing"), /no private key in PEM/);
  assert.throws(() => readPublicKey("!!"), /no public key in PEM in base64/);
  const { publicKey: curve } = crypto.generateKeyPairSync("ed25519");
  const pem = curve.export({ type: "spki", format: "pem" }) as string;
  assert.throws(() => readPublicKey(btoa(pem)), /not for RSA/);
  const small = crypto.generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
  const text = small.export({ type: "pkcs1", format: "pem" }) as string;
  assert.throws(() => readPrivateKey(text), /1024 bits/);
});
