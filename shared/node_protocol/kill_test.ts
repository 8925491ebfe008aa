import assert from "node:assert/strict";
import { newUserKey, verify } from "../broker/signing.ts";
import { signAsHub, type SignedMessage } from "./hub_signature.ts";
import { readKill } from "./kill.ts";

const subject = "kill.7";
const hubKey = newUserKey();
const trust = {
  subject,
  verify: (subject: string, payload: Uint8Array, signature: string) =>
    verify(hubKey.publicKey, subject, payload, signature),
};

function message(body: unknown, seed = hubKey.seed): SignedMessage {
  const data = new TextEncoder().encode(JSON.stringify(body));
  const headers = new Map<string, string>();
  signAsHub(headers, seed, { subject, payload: data });
  return { subject, data, headers: { code: 0, get: (name) => headers.get(name) ?? "" } };
}

Deno.test("readKill() reads an attempt or all attempts", () => {
  for (const attempt of [2, null]) {
    const kill = { result_id: 7, attempt };
    assert.deepEqual(readKill(message(kill), trust), { value: kill });
  }
  assert.ok("refused" in readKill(message({ result_id: 7 }), trust));
});

Deno.test("readKill() refuses what somebody else has signed", () => {
  const kill = { result_id: 7, attempt: null };
  assert.ok("refused" in readKill(message(kill, newUserKey().seed), trust));
});
