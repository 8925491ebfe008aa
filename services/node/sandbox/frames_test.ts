import assert from "node:assert/strict";
import { createFrameReader, FrameError } from "./frames.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const frame = (value: unknown) => `\x1e${JSON.stringify(value)}\n`;

/** What a reader makes of the output when it comes in pieces of `size` bytes. */
function read(
  output: string,
  size: number,
  limits: { frame?: number; task?: number; result?: number } = {},
) {
  const seen = { printed: "", frames: [] as unknown[], results: [] as string[] };
  let result = "";
  const push = createFrameReader({
    maxFrameBytes: limits.frame ?? 100,
    maxTaskBytes: limits.task ?? 200,
    maxResultBytes: limits.result ?? 100,
    onFrame: (frame) => seen.frames.push(frame),
    onTask: ({ id, about }, input) => seen.frames.push({ id, about, input: decoder.decode(input) }),
    onResult(piece, last) {
      result += decoder.decode(piece);
      if (last) seen.results.push(result);
    },
    onPrinted: (bytes) => seen.printed += decoder.decode(bytes),
  });
  const bytes = encoder.encode(output);
  for (let at = 0; at < bytes.length; at += size) push(bytes.subarray(at, at + size));
  return seen;
}

Deno.test("createFrameReader() tells frames, printed text and the result apart, however they are cut", () => {
  const call = { is: "call", id: 1, what: "results", input: 3 };
  const output = `one\ntwo${frame({ is: "ready" })}three\n${frame(call)}\n` +
    `${frame({ is: "result", bytes: 8 })}{"a":\x1e\n}what comes after`;
  for (const size of [1, 2, 3, 7, 1000]) {
    assert.deepEqual(read(output, size), {
      printed: "one\ntwothree\n\n",
      frames: [{ is: "ready" }, call],
      results: ['{"a":\x1e\n}'],
    });
  }
});

Deno.test("createFrameReader() joins a result that comes in several frames, up to the limit in all", () => {
  const part = (text: string, more: boolean) =>
    frame({ is: "result", bytes: text.length, ...(more ? { more } : {}) }) + text;
  const output = part("[1,", true) + part("", true) + part("\x1e\n2", true) + part("]", false);
  for (const size of [1, 5, 1000]) {
    assert.deepEqual(read(output + frame({ is: "ready" }), size), {
      printed: "",
      frames: [],
      results: ["[1,\x1e\n2]"],
    });
  }
  assert.deepEqual(read(part("[1", true), 3).results, [], "it may go on");
  assert.throws(() => read(part("[1", true) + frame({ is: "ready" }), 3), /while its result was/);
  const halves = part("x".repeat(60), true) + part("x".repeat(60), true);
  assert.throws(() => read(halves, 50), /too large: more than 0\.1 MiB/);
});

Deno.test("createFrameReader() hands over a subtask with the bytes that follow it, unread", () => {
  const task = (id: number, input: string) =>
    frame({ is: "task", id, about: { organizations: [1] }, bytes: input.length }) + input;
  const long = "[],\n\x1e".repeat(30);
  const output = `one${task(1, long)}two${task(2, "")}${frame({ is: "ready" })}`;
  const about = { organizations: [1] };
  for (const size of [1, 7, 149, 1000]) {
    assert.deepEqual(read(output, size), {
      printed: "onetwo",
      frames: [{ id: 1, about, input: long }, { id: 2, about, input: "" }, { is: "ready" }],
      results: [],
    });
  }
  for (const bytes of [201, 1e15]) {
    const announced = frame({ is: "task", id: 1, about: null, bytes });
    assert.throws(() => read(announced, 50), /asked for something in more than 0\.1 MiB/);
  }
});

Deno.test("createFrameReader() gives an empty result at once", () => {
  assert.deepEqual(read(frame({ is: "result", bytes: 0 }), 5).results, [""]);
});

Deno.test("createFrameReader() refuses what is no frame", () => {
  const bad = [
    "\x1enonsense\n",
    "\x1e\n",
    frame(null),
    frame({ is: "other" }),
    frame({ is: "call", id: 1, what: "delete" }),
    frame({ is: "call", id: "1", what: "results" }),
    frame({ is: "call", id: 1, what: "createTask", input: {} }),
    frame({ is: "task", id: 1, about: {} }),
    frame({ is: "task", id: 1, about: {}, bytes: -1 }),
    frame({ is: "error", kind: "load" }),
    frame({ is: "result", bytes: -1 }),
    frame({ is: "result", bytes: 1.5 }),
    frame({ is: "result", bytes: "9" }),
  ];
  for (const output of bad) assert.throws(() => read(output, 4), FrameError, output);
});

Deno.test("createFrameReader() refuses a frame that goes on and on before it ends", () => {
  assert.throws(() => read(`\x1e${"x".repeat(101)}`, 10), /more than 0.1 MiB/);
});

Deno.test("createFrameReader() refuses a result over the limit without making room for it", () => {
  for (const bytes of [101, 1e15]) {
    assert.throws(() => read(frame({ is: "result", bytes }), 50), /The result is too large/);
  }
});
