import assert from "node:assert/strict";
import { readLogFrames } from "./log_frames.ts";

function frame(channel: number, text: string): number[] {
  const content = new TextEncoder().encode(text);
  return [channel, 0, 0, 0, 0, 0, content.length >> 8, content.length & 255, ...content];
}

Deno.test("readLogFrames() puts frames together wherever the chunks are cut", async () => {
  const bytes = Uint8Array.from([
    ...frame(1, "one\n"),
    ...frame(2, ""),
    ...frame(2, "x".repeat(300)),
  ]);
  for (const size of [1, 3, 8, 9, 1000]) {
    const texts: Record<number, string> = {};
    const chunks = ReadableStream.from(
      Array.from(
        { length: Math.ceil(bytes.length / size) },
        (_, index) => bytes.subarray(index * size, (index + 1) * size),
      ),
    );
    await readLogFrames(chunks, (piece, channel) => {
      texts[channel] = (texts[channel] ?? "") + new TextDecoder().decode(piece);
    });
    assert.deepEqual(texts, { 1: "one\n", 2: "x".repeat(300) });
  }
});
