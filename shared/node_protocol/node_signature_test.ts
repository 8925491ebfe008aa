import assert from "node:assert/strict";
import { newUserKey } from "../broker/signing.ts";
import { issueNodeCredential, newTrust, nodeIssuers } from "../broker/trust.ts";
import { type NodeMessage, proveSender, signAsNode } from "./node_signature.ts";

const trust = await newTrust();
const issuers = nodeIssuers(trust);
const key = newUserKey();
const refused = { code: "invalid_token" };

/** A message of node 7, signed for `signedFor` and shown on `subject`. */
async function message(
  { subject = "report.7.start", signedFor, seed = key.seed, node = 7 }: {
    subject?: string;
    signedFor?: string;
    seed?: string;
    node?: number;
  } = {},
): Promise<NodeMessage> {
  const { jwt } = await issueNodeCredential(trust, node, key.publicKey, 60);
  const data = new TextEncoder().encode("{}");
  const headers = new Map<string, string>();
  signAsNode(headers, { seed, credential: jwt }, {
    subject: signedFor ?? subject,
    payload: data,
  });
  return { subject, data, headers: { get: (name) => headers.get(name) ?? "" } };
}

Deno.test("proveSender() tells the node and what its message is about", async () => {
  const { node, rest, signature } = proveSender(await message(), issuers);
  assert.deepEqual({ node, rest }, { node: 7, rest: "start" });
  assert.notEqual(signature, "");
  assert.equal(proveSender(await message({ subject: "log.7.12" }), issuers).rest, "12");
});

Deno.test("proveSender() refuses a message without headers", async () => {
  const { subject, data } = await message();
  assert.throws(() => proveSender({ subject, data }, issuers), refused);
});

Deno.test("proveSender() refuses another node's subject", async () => {
  const foreign = await message({ node: 8 });
  assert.throws(() => proveSender(foreign, issuers), refused);
});

Deno.test("proveSender() refuses what was signed for another subject, or with another key", async () => {
  const elsewhere = await message({ signedFor: "report.7.lost" });
  assert.throws(() => proveSender(elsewhere, issuers), refused);
  const stranger = await message({ seed: newUserKey().seed });
  assert.throws(() => proveSender(stranger, issuers), refused);
});

Deno.test("proveSender() refuses a payload that was altered", async () => {
  const altered = await message();
  altered.data[0]! ^= 1;
  assert.throws(() => proveSender(altered, issuers), refused);
});
