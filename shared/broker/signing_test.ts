import assert from "node:assert/strict";
import { fromPublic, fromSeed } from "@nats-io/nkeys";
import { isUserPublicKey, newUserKey, publicKeyOf, sign, signNonce, verify } from "./signing.ts";

const encoder = new TextEncoder();
const payload = encoder.encode('{"result_id":7}');

Deno.test("sign() makes what verify() and the nkeys library accept", () => {
  const key = newUserKey();
  const signature = sign(key.seed, "dispatch.3", payload);
  assert.equal(verify(key.publicKey, "dispatch.3", payload, signature), true);
  const bytes = encoder.encode('sextant message 1\ndispatch.3\n{"result_id":7}');
  const raw = Uint8Array.fromBase64(signature, { alphabet: "base64url" });
  assert.equal(fromPublic(key.publicKey).verify(bytes, raw), true);
  const theirs = fromSeed(encoder.encode(key.seed)).sign(bytes);
  assert.equal(
    verify(
      key.publicKey,
      "dispatch.3",
      payload,
      theirs.toBase64({ alphabet: "base64url", omitPadding: true }),
    ),
    true,
  );
});

Deno.test("verify() refuses another subject, payload, key or signature", () => {
  const key = newUserKey();
  const signature = sign(key.seed, "dispatch.3", payload);
  assert.equal(verify(key.publicKey, "dispatch.4", payload, signature), false);
  assert.equal(verify(key.publicKey, "dispatch.3", encoder.encode("{}"), signature), false);
  assert.equal(verify(newUserKey().publicKey, "dispatch.3", payload, signature), false);
  const other = sign(key.seed, "dispatch.3", encoder.encode("x"));
  assert.equal(verify(key.publicKey, "dispatch.3", payload, other), false);
});

Deno.test("signNonce() signs nonces alone, and no such signature is one of a message", () => {
  const key = newUserKey();
  const nonces = ["PXoWU7zWAMt75FY", "a_-b".repeat(4)];
  for (const nonce of nonces) {
    const raw = Uint8Array.fromBase64(signNonce(key.seed, nonce)!, { alphabet: "base64url" });
    assert.equal(fromPublic(key.publicKey).verify(encoder.encode(nonce), raw), true);
  }
  const report = 'report.3.finish\n{"result_id":7}';
  for (
    const text of [
      "",
      "short",
      "x".repeat(65),
      report,
      `sextant message 1\n${report}`,
      "PXoWU7zWAMt75FY\n",
      "eyJ0eXAiOiJKV1QifQ.eyJzdWIiOjF9",
    ]
  ) {
    assert.equal(signNonce(key.seed, text), undefined, text);
  }
});

Deno.test("verify() answers false to anything malformed", () => {
  const key = newUserKey();
  const good = sign(key.seed, "a", payload);
  for (const signature of ["", "x", "!!!!", good + "AAAA", good.slice(0, -4), "ü".repeat(86)]) {
    assert.equal(verify(key.publicKey, "a", payload, signature), false, signature);
  }
  for (const bad of ["", "U", key.seed, key.publicKey.slice(0, -1), key.publicKey + "A", "💥"]) {
    assert.equal(verify(bad, "a", payload, good), false, bad);
  }
});

Deno.test("isUserPublicKey() tells a user's public key from everything else", () => {
  const key = newUserKey();
  assert.equal(isUserPublicKey(key.publicKey), true);
  assert.equal(publicKeyOf(key.seed), key.publicKey);
  for (const text of ["", key.seed, "A" + key.publicKey.slice(1), key.publicKey.toLowerCase()]) {
    assert.equal(isUserPublicKey(text), false, text);
  }
});
