import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { newUserKey, nkeyBytes } from "../broker/signing.ts";
import { type Checkpoint, originOf, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { leafHash } from "./merkle.ts";

const ACCOUNT = `A${"B".repeat(55)}`;
const key = newUserKey();
const told: Checkpoint = {
  origin: originOf(ACCOUNT, "task"),
  service: "task",
  size: 20852163,
  root: new Uint8Array(leafHash("x")),
  sealedAt: "2026-03-24T10:00:00.000Z",
};
const note = writeCheckpoint(told, key.seed);

Deno.test("a checkpoint says what was signed, in the lines of C2SP's format", () => {
  assert.deepEqual(readCheckpoint(note, [newUserKey().publicKey, key.publicKey]), told);
  const lines = note.split("\n");
  assert.deepEqual(lines.slice(0, 5), [
    `sextant/${ACCOUNT}/task`,
    "20852163",
    told.root.toBase64(),
    "sealed 2026-03-24T10:00:00.000Z",
    "",
  ]);
  const [dash, name, base64] = lines[5]!.split(" ");
  assert.deepEqual([dash, name], ["\u2014", told.origin]);
  const bytes = Uint8Array.fromBase64(base64!);
  assert.equal(bytes.length, 4 + 64);
  const id = createHash("sha256")
    .update(told.origin).update("\n\x01").update(nkeyBytes(key.publicKey)).digest();
  assert.deepEqual(bytes.slice(0, 4), new Uint8Array(id.subarray(0, 4)));
  assert.equal(lines[6], "");
});

Deno.test("a checkpoint that somebody else signed, or nobody, or that was changed is not believed", () => {
  const other = newUserKey();
  assert.match(String(readCheckpoint(note, [other.publicKey])), /no key that is known/);
  assert.match(String(readCheckpoint(note, [])), /no key that is known/);
  const cases: [string, string, RegExp][] = [
    ["20852163", "20852164", /signature is wrong/],
    ["20852163", "020852163", /entries/],
    ["20852163", "-1", /entries/],
    ["T10:", "T11:", /signature is wrong/],
    ["sealed 2026-03-24T10:00:00.000Z\n", "", /no time/],
    ["sealed 2026", "sealed 2026x", /no time/],
    ["2026-03-24", "2026-13-77", /no time/],
    [told.root.toBase64(), btoa("x"), /SHA-256/],
    ["/task\n2", "/gateway\n2", /no record of a hub/],
    ["/task\n2", "/identity\n2", /no key that is known/],
    ["\n\n", "\n", /no signed note|no record|no time/],
    ["\u2014", "-", /no signed note/],
    ["\n\n", "\n\n\x07", /no signed note/],
  ];
  for (const [from, to, why] of cases) {
    const changed = note.replace(from, to);
    assert.notEqual(changed, note, from);
    assert.match(String(readCheckpoint(changed, [key.publicKey])), why, to);
  }
  for (const text of ["", "\n\n", "x", note + "x", note.slice(0, -1), "x".repeat(5000)]) {
    assert.equal(typeof readCheckpoint(text, [key.publicKey]), "string");
  }
});

Deno.test("a signature of somebody else beside the hub's is passed over, one in its place is not", () => {
  const foreign = `\u2014 witness.example/w ${Buffer.alloc(76, 7).toString("base64")}\n`;
  assert.deepEqual(readCheckpoint(note + foreign, [key.publicKey]), told);
  assert.equal(
    readCheckpoint(note + foreign.repeat(16), [key.publicKey]),
    "it has too many signatures",
  );
  const text = note.slice(0, note.lastIndexOf("\n\n") + 1);
  const { privateKey } = generateKeyPairSync("ed25519");
  const id = createHash("sha256").update(`${told.origin}\n\x01`).update(nkeyBytes(key.publicKey))
    .digest().subarray(0, 4);
  const bytes = Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]);
  const forged = `${text}\n\u2014 ${told.origin} ${bytes.toString("base64")}\n`;
  assert.equal(readCheckpoint(forged, [key.publicKey]), "its signature is wrong");
});
