import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { fingerprintOf, fingerprintOfText, whyNoPublicKey } from "./public_key.ts";

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

Deno.test("whyNoPublicKey() lets no private key into a record, and none that nodes cannot use", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = (key: typeof rsa) => key.publicKey.export({ type: "spki", format: "pem" }) as string;
  assert.equal(whyNoPublicKey(btoa(spki(rsa))), undefined);
  for (const text of ["", "key", btoa("not a key"), btoa("-----BEGIN PUBLIC KEY")]) {
    assert.equal(whyNoPublicKey(text), undefined, "stored as it was received");
  }
  const secrets = [
    rsa.privateKey.export({ type: "pkcs1", format: "pem" }) as string,
    rsa.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    ec.privateKey.export({ type: "sec1", format: "pem" }) as string,
  ];
  for (const pem of secrets) {
    for (const text of [pem, btoa(pem), btoa(spki(rsa) + pem)]) {
      assert.match(whyNoPublicKey(text)!, /it is a private one/);
    }
  }
  for (const type of ["pkcs1", "pkcs8"] as const) {
    const der = rsa.privateKey.export({ type, format: "der" });
    assert.match(whyNoPublicKey(der.toString("base64"))!, /it is a private one/);
  }
  for (const text of [spki(rsa), btoa(spki(ec as never)), spki(ec as never)]) {
    assert.match(whyNoPublicKey(text)!, /must be base64 of an RSA public key in PEM/);
  }
});
