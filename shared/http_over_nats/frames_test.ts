import assert from "node:assert/strict";
import {
  decodeFrame,
  decodeReplica,
  decodeRequest,
  decodeResponse,
  encodeFrame,
  encodeMeta,
  encodeText,
  KIND,
  messageHeaders,
} from "./frames.ts";

const encoder = new TextEncoder();

Deno.test("decodeFrame() reads what encodeFrame() wrote", () => {
  const meta = {
    method: "POST",
    path: "/api/task?x=1",
    headers: [["a", "ü"]] as [string, string][],
  };
  const body = encoder.encode("body");
  const bytes = encodeFrame(
    KIND.request,
    { complete: true, seq: 4_000_000_000, credit: 7 },
    ...encodeMeta(meta),
    body,
  );
  const frame = decodeFrame(bytes);
  assert.ok(frame);
  assert.deepEqual([frame.kind, frame.complete, frame.seq, frame.credit], [1, true, 4e9, 7]);
  assert.deepEqual(decodeRequest(frame.rest), { meta, body });
});

Deno.test("decodeFrame() and what reads its rest answer undefined to anything malformed", () => {
  const meta = { status: 200, headers: [], replica: "a1" };
  const good = encodeFrame(KIND.head, {}, ...encodeMeta(meta), encoder.encode("body"));
  const variants = [new Uint8Array(), new Uint8Array(9), new Uint8Array(10).fill(255)];
  for (let length = 0; length < good.length - 4; length++) variants.push(good.slice(0, length));
  for (let at = 0; at < 40; at++) variants.push(good.with(at, good[at]! ^ 0x80));
  for (let n = 0; n < 200; n++) variants.push(crypto.getRandomValues(new Uint8Array(n)));
  for (const bytes of variants) {
    const frame = decodeFrame(bytes);
    if (!frame) continue;
    // Either it is read whole or not at all; none of it may throw.
    const response = decodeResponse(frame.rest);
    if (response) assert.equal(typeof response.meta.status, "number");
    assert.equal(decodeRequest(frame.rest), undefined);
  }
});

Deno.test("decodeResponse() refuses a status or a replica that cannot be", () => {
  const rest = (meta: object) =>
    decodeFrame(encodeFrame(KIND.head, {}, ...encodeMeta(meta as never)))!.rest;
  for (const status of [100, 199, 600, 200.5, "200"]) {
    assert.equal(decodeResponse(rest({ status, headers: [], replica: "a" })), undefined);
  }
  for (const replica of ["", "*", ">", "a.b", "a b"]) {
    assert.equal(decodeResponse(rest({ status: 200, headers: [], replica })), undefined);
    assert.equal(decodeReplica(encodeText(replica)), undefined);
  }
});

Deno.test("messageHeaders() leaves out what concerns one connection only", () => {
  const headers = new Headers([["connection", "close"], ["x-a", "1"], [
    "transfer-encoding",
    "chunked",
  ]]);
  headers.append("set-cookie", "a=1");
  headers.append("set-cookie", "b=2");
  const pairs = messageHeaders(headers);
  assert.deepEqual(pairs, [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-a", "1"]]);
});
