import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { fingerprintOf, fingerprintOfText } from "./public_key.ts";

Deno.test("fingerprintOfText() is openssl's digest of the DER, however the PEM is written", async () => {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = publicKey.export({ type: "spki", format: "pem" }) as string;
  const print = fingerprintOfText(btoa(pem));
  assert.equal(print, fingerprintOf(createPublicKey(pem)));
  assert.equal(print, fingerprintOfText(btoa(pem.replaceAll("\n", "\r\n"))));
  const der = publicKey.export({ type: "spki", format: "der" });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(der)));
  assert.equal(print, `sha256:${digest.toHex()}`);
});

Deno.test("fingerprintOfText() tells one text that is no key from another, and none from any", () => {
  assert.equal(fingerprintOfText(""), null);
  const [one, other] = [fingerprintOfText(btoa("a")), fingerprintOfText(btoa("b"))];
  assert.match(one!, /^sha256:/);
  assert.notEqual(one, other);
  assert.match(fingerprintOfText("no base64!")!, /^sha256:/);
});
