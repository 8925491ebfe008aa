import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { isRsaPublicKey, modulusBytes, readRsaPublicKey } from "./rsa_public_key.ts";

const record = (pem: string) => btoa(pem);
const pemOf = (key: KeyObject) => key.export({ type: "spki", format: "pem" }) as string;

Deno.test("readRsaPublicKey() reads the numbers that the platform reads", () => {
  for (const bits of [2048, 3072, 4096]) {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
    const { modulus, exponent, der } = readRsaPublicKey(record(pemOf(publicKey)));
    const jwk = publicKey.export({ format: "jwk" });
    const bytes = Uint8Array.fromBase64(jwk.n!, { alphabet: "base64url" });
    assert.equal(modulus, BigInt(`0x${bytes.toHex()}`));
    assert.equal(exponent, 65537n);
    assert.equal(modulusBytes({ modulus }), bits / 8);
    assert.deepEqual(der, new Uint8Array(publicKey.export({ type: "spki", format: "der" })));
  }
});

Deno.test("isRsaPublicKey() takes no other key, no private key, no two keys and nothing damaged", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = pemOf(publicKey);
  assert.ok(isRsaPublicKey(record(pem)));
  assert.ok(isRsaPublicKey(record(pem.replaceAll("\n", "\r\n"))));
  const der = publicKey.export({ type: "spki", format: "der" });
  const asPem = (bytes: Uint8Array) =>
    record(`-----BEGIN PUBLIC KEY-----\n${bytes.toBase64()}\n-----END PUBLIC KEY-----\n`);
  assert.ok(isRsaPublicKey(asPem(der)));
  const even = new Uint8Array(der);
  even[der.length - 6]! &= 0xfe; // the last byte of the modulus
  for (
    const wrong of [
      "",
      "no base64!",
      record("text"),
      record(pem + pem),
      record(privateKey.export({ type: "pkcs8", format: "pem" }) as string),
      record(privateKey.export({ type: "pkcs1", format: "pem" }) as string),
      record(publicKey.export({ type: "pkcs1", format: "pem" }) as string),
      record(pemOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey)),
      record(pemOf(generateKeyPairSync("ed25519").publicKey)),
      asPem(der.subarray(0, -1)),
      asPem(new Uint8Array([...der, 0])),
      asPem(even),
    ]
  ) assert.equal(isRsaPublicKey(wrong), false, wrong);
});
