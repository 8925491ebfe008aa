import assert from "node:assert/strict";
import {
  issueEnrolmentCredential,
  issueNodeCredential,
  issueServiceCredential,
  newTrust,
  nodeIssuers,
} from "../broker/trust.ts";
import { verifyNodeCredential } from "./credential.ts";
import { newUserKey } from "../broker/signing.ts";

const trust = await newTrust();
const issuers = nodeIssuers(trust);
const key = newUserKey();
const refused = { code: "invalid_token" };

Deno.test("verifyNodeCredential() reads node, key and expiry", async () => {
  const { jwt, expiresAt } = await issueNodeCredential(trust, 42, key.publicKey, 60);
  const expected = { node: 42, publicKey: key.publicKey, expiresAt };
  assert.deepEqual(verifyNodeCredential(jwt, issuers), expected);
  assert.deepEqual(verifyNodeCredential(jwt, issuers), expected);
});

Deno.test("verifyNodeCredential() refuses one that has expired, the second time too", async () => {
  const { jwt, expiresAt } = await issueNodeCredential(trust, 1, key.publicKey, 60);
  verifyNodeCredential(jwt, issuers);
  const later = new Date(expiresAt.getTime() + 1);
  assert.throws(() => verifyNodeCredential(jwt, issuers, later), refused);
});

Deno.test("verifyNodeCredential() refuses credentials that are not a node's of this installation", async () => {
  const foreign = await newTrust();
  const wrong = await Promise.all([
    issueNodeCredential(foreign, 1, key.publicKey, 60),
    issueServiceCredential(trust, "task", key.publicKey, 60),
    issueEnrolmentCredential(trust, "task", key.publicKey),
  ]);
  for (const { jwt } of wrong) assert.throws(() => verifyNodeCredential(jwt, issuers), refused);
});

Deno.test("verifyNodeCredential() refuses what has been tampered with", async () => {
  const { jwt } = await issueNodeCredential(trust, 1, key.publicKey, 60);
  const [header, body, signature] = jwt.split(".") as [string, string, string];
  const claims = JSON.parse(atob(body));
  const changed = (change: object) =>
    btoa(JSON.stringify({ ...claims, ...change })).replace(/=+$/, "");
  const other = await issueNodeCredential(trust, 2, key.publicKey, 60);
  const forged = [
    `${header}.${changed({ name: "2" })}.${signature}`,
    `${header}.${changed({ exp: claims.exp + 1000 })}.${signature}`,
    `${header}.${body}.${other.jwt.split(".")[2]}`,
    `${btoa(JSON.stringify({ typ: "JWT", alg: "none" }))}.${body}.`,
    `${header}.${body}`,
    `${jwt}.x`,
    "",
    "💥",
  ];
  for (const text of forged) assert.throws(() => verifyNodeCredential(text, issuers), refused);
});
