import assert from "node:assert/strict";
import { newUserKey, sign, SIGNATURE_HEADER, verify } from "../broker/signing.ts";
import { dispatch } from "../../tests/support/dispatch.ts";
import { readDispatch } from "./dispatch.ts";
import type { SignedMessage } from "./hub_signature.ts";

const SUBJECT = "dispatch.7";
const hubKey = newUserKey();
const trust = {
  subject: SUBJECT,
  verify: (subject: string, payload: Uint8Array, signature: string) =>
    verify(hubKey.publicKey, subject, payload, signature),
};

interface Twist {
  subject?: string;
  signedFor?: string;
  seed?: string;
  code?: number;
  signature?: boolean;
}

function message(body: unknown, twist: Twist = {}): SignedMessage {
  const { subject = SUBJECT, seed = hubKey.seed, code = 0, signature = true } = twist;
  const signedFor = twist.signedFor ?? subject;
  const data = new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
  const text = signature ? sign(seed, signedFor, data) : "";
  return {
    subject,
    data,
    headers: { code, get: (name) => name === SIGNATURE_HEADER ? text : "" },
  };
}

function refusalOf(given: SignedMessage): string {
  const reading = readDispatch(given, trust);
  assert.ok("refused" in reading, "was believed");
  return reading.refused;
}

Deno.test("readDispatch() returns what the hub signed", () => {
  assert.deepEqual(readDispatch(message(dispatch), trust), { value: dispatch });
});

Deno.test("readDispatch() takes what later hubs say besides, and does without what earlier ones do not", () => {
  const origin = { init_username: "alice", algorithm_store_url: "https://store.example/api" };
  for (const more of [origin, { init_username: null, algorithm_store_url: null }]) {
    const told = { ...dispatch, ...more };
    assert.deepEqual(readDispatch(message({ ...told, later: 1 }), trust), { value: told });
  }
  assert.match(refusalOf(message({ ...dispatch, init_username: 7 })), /wrong shape/);
});

Deno.test("readDispatch() refuses a message that the hub did not sign for this subject", () => {
  assert.match(refusalOf(message(dispatch, { signature: false })), /not signed/);
  assert.match(refusalOf({ ...message(dispatch), headers: undefined }), /not signed/);
  assert.match(refusalOf(message(dispatch, { seed: newUserKey().seed })), /signature/);
  assert.match(refusalOf(message(dispatch, { signedFor: "dispatch.8" })), /signature/);
  const altered = message(dispatch);
  altered.data[20]! ^= 1;
  assert.match(refusalOf(altered), /signature/);
});

Deno.test("readDispatch() refuses other subjects and messages with a status", () => {
  assert.match(refusalOf(message(dispatch, { subject: "dispatch.8" })), /subject dispatch\.8/);
  assert.match(refusalOf(message(dispatch, { code: 404 })), /status 404/);
});

Deno.test("readDispatch() refuses what has another shape, however well signed", () => {
  const bodies: unknown[] = [
    "",
    "no JSON",
    [],
    {},
    { ...dispatch, v: 2 },
    { ...dispatch, attempt: 0 },
    { ...dispatch, result_id: "7" },
    { ...dispatch, input_sha256: "short" },
    { ...dispatch, databases: [{}] },
  ];
  for (const body of bodies) assert.match(refusalOf(message(body)), /wrong shape/);
});
