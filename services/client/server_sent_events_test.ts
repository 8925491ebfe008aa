import assert from "node:assert/strict";
import { readServerSentEvents, type ServerSentEvent } from "./server_sent_events.ts";

async function read(...pieces: string[]): Promise<ServerSentEvent[]> {
  const body = ReadableStream.from(pieces.map((piece) => new TextEncoder().encode(piece)));
  return await Array.fromAsync(readServerSentEvents(body));
}

Deno.test("readServerSentEvents() reads blocks however they are cut, and no comments", async () => {
  const text =
    'retry: 1000\nid: a-1\n\n: alive\n\nevent: node.presence\nid: a-2\ndata: {"a":\ndata: 1}\n\n';
  const expected = [
    { event: undefined, id: "a-1", data: "" },
    { event: "node.presence", id: "a-2", data: '{"a":\n1}' },
  ];
  assert.deepEqual(await read(text), expected);
  assert.deepEqual(await read(...text), expected);
  assert.deepEqual(await read(text.replaceAll("\n", "\r\n")), expected);
});

Deno.test("readServerSentEvents() leaves a block that was cut off", async () => {
  assert.deepEqual(await read("event: gap\nid: a-1\ndata: {}\n\nevent: gap\nid: a-2\n"), [
    { event: "gap", id: "a-1", data: "{}" },
  ]);
});
