import assert from "node:assert/strict";
import { constants, createPublicKey, generateKeyPairSync, publicEncrypt } from "node:crypto";
import { fingerprintOf } from "../../../shared/contract/public_key.ts";
import { readRsaPublicKey } from "../../../shared/payload/rsa_public_key.ts";
import { KEY_BYTES } from "../../../shared/payload/unpadded_key.ts";
import { publicKeyText, readPrivateKey } from "../../node/encryption/keys.ts";
import { unwrapKey as unwrapAtNode } from "../../node/encryption/unwrap_key.ts";
import { KeyError } from "../errors.ts";
import { newOrganizationKey, readOrganizationKey } from "./organization_key.ts";
import { wrapKey } from "./rsa.ts";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PKCS1 = privateKey.export({ type: "pkcs1", format: "pem" }) as string;
const PKCS8 = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const publicText = publicKeyText(privateKey);
const random = () => crypto.getRandomValues(new Uint8Array(KEY_BYTES));

Deno.test("readOrganizationKey() reads both forms of PEM, and knows the public half as the hub has it", async () => {
  for (const pem of [PKCS1, PKCS8, PKCS1.replaceAll("\n", "\r\n")]) {
    const key = await readOrganizationKey(pem);
    assert.equal(key.publicKey, publicText);
    assert.equal(key.fingerprint, fingerprintOf(createPublicKey(privateKey)));
    assert.equal(key.wrappedBytes, 256);
  }
});

Deno.test("a payload's key that the client wraps is unwrapped at the node, and the other way round", async () => {
  const key = await readOrganizationKey(PKCS1);
  for (let turn = 0; turn < 5; turn++) {
    const content = random();
    const wrapped = wrapKey(content, readRsaPublicKey(publicText));
    assert.deepEqual(new Uint8Array(unwrapAtNode(wrapped, privateKey)), content);
    assert.deepEqual(await key.unwrap(wrapped), content);
    const byNode = publicEncrypt(
      { key: privateKey, padding: constants.RSA_PKCS1_PADDING },
      content,
    );
    assert.deepEqual(await key.unwrap(byNode), content);
    const asText = publicEncrypt(
      { key: privateKey, padding: constants.RSA_PKCS1_PADDING },
      content.toBase64(),
    );
    assert.deepEqual(await key.unwrap(asText), content, "as the browser's programs wrap it");
    const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
    assert.deepEqual(
      await key.unwrapOaep(publicEncrypt({ key: privateKey, ...oaep }, content)),
      content,
    );
  }
});

Deno.test("a wrong padding gives a key like any other, the same each time, and never an error", async () => {
  const key = await readOrganizationKey(PKCS1);
  const noPadding = { key: privateKey, padding: constants.RSA_NO_PADDING };
  for (const first of [[0, 1], [0, 2], [1, 2]]) {
    const block = new Uint8Array(256).fill(7);
    block.set(first);
    const wrapped = publicEncrypt(noPadding, block);
    const one = await key.unwrap(wrapped);
    assert.equal(one.length, KEY_BYTES);
    assert.deepEqual(await key.unwrap(wrapped), one);
    assert.notDeepEqual(one, block.subarray(-KEY_BYTES));
  }
  await assert.rejects(key.unwrap(new Uint8Array(255)), /damaged, or encrypted for another key/);
  await assert.rejects(key.unwrap(new Uint8Array(256).fill(255)), /damaged, or encrypted/);
});

Deno.test("readOrganizationKey() says what is wrong with what is no key", async () => {
  const cases: [string, RegExp][] = [
    ["nonsense", /no private key/],
    [publicText, /no private key/],
    [PKCS1.replace(/RSA /g, "EC "), /no private key/],
    [PKCS8.replaceAll("PRIVATE", "ENCRYPTED PRIVATE"), /pass phrase/],
    [PKCS8.replace(/\n[^-]{64}/, "\n"), /cannot be used|damaged/],
  ];
  for (const [pem, expected] of cases) {
    await assert.rejects(readOrganizationKey(pem), (error: unknown) => {
      assert.ok(error instanceof KeyError, String(error));
      assert.match(error.message, expected);
      return true;
    });
  }
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
  await assert.rejects(
    readOrganizationKey(short.export({ type: "pkcs8", format: "pem" }) as string),
    /1024 bits/,
  );
});

Deno.test("newOrganizationKey() makes keys that nodes read", async () => {
  const pem = await newOrganizationKey(2048);
  const key = await readOrganizationKey(pem);
  assert.equal(publicKeyText(readPrivateKey(pem)), key.publicKey);
});
