import assert from "node:assert/strict";
import { MAX_PAYLOAD } from "../broker/limits.ts";
import { issueNodeCredential, newTrust } from "../broker/trust.ts";
import { newUserKey } from "../broker/signing.ts";
import { MAX_REPORT } from "./limits.ts";
import { signAsNode } from "./node_signature.ts";

Deno.test("MAX_REPORT leaves room for the headers of a report many times over", async () => {
  const key = newUserKey();
  const { jwt } = await issueNodeCredential(await newTrust(), 999_999_999, key.publicKey, 60);
  const headers = new Map<string, string>();
  const message = { subject: "report.999999999.finish", payload: new Uint8Array(MAX_REPORT) };
  signAsNode(headers, { seed: key.seed, credential: jwt }, message);
  const size = [...headers].flat().join("").length;
  assert.ok(MAX_REPORT + 10 * size < MAX_PAYLOAD, `headers of ${size} bytes`);
});
