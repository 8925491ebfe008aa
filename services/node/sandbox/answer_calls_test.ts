import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { waitFor } from "../../../tests/harness.ts";
import type { SubtaskRequest } from "../subtasks/sandbox_client.ts";
import { createAnswerer, MAX_CALLS } from "./answer_calls.ts";
import { type Answer, FrameError } from "./frames.ts";

const never = new Promise<never>(() => {});
const encoder = new TextEncoder();

function open(client: { createTask?: (task: SubtaskRequest) => Promise<{ id: number }> } = {}) {
  const sent: Answer[] = [];
  const answerer = createAnswerer({
    client: {
      organizations: () => never,
      createTask: () => never,
      results: () => never,
      ...client,
    },
    guard: { ask: () => never },
  }, (answer) => Promise.resolve(void sent.push(answer)));
  return { ...answerer, sent };
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

const task = { is: "task" as const, id: 1, about: { organizations: [1] }, bytes: 0 };

Deno.test("createAnswerer() holds nothing of a frame but what its schema names, however long the call waits", async () => {
  const answerer = open();
  const text = `{"taskId":7,"junk":[${"[],".repeat(80_000)}0]}`;
  const frames: WeakRef<object>[] = [];
  // Not here: an async function holds what its variables held.
  function callOnce(id: number) {
    const input = JSON.parse(text);
    frames.push(new WeakRef(input.junk));
    answerer.call({ is: "call", id, what: "results", input });
  }
  for (let id = 0; id < 2 * MAX_CALLS; id++) callOnce(id);
  assert.throws(
    () => answerer.call({ is: "call", id: 99, what: "results", input: { taskId: 7 } }),
    FrameError,
  );
  // A weak reference that was looked at holds until its turn of the event loop is over.
  await new Promise((resolve) => setTimeout(resolve));
  collectGarbage();
  assert.ok(!frames.some((one) => one.deref()));
});

Deno.test("createAnswerer() passes the input of a subtask on unread, and refuses what is no JSON", async () => {
  const made: SubtaskRequest[] = [];
  const answerer = open({
    createTask: (task) => Promise.resolve({ id: made.push(task) }),
  });
  const input = encoder.encode('{"method":"m","args":[1e400, [] ]}');
  answerer.task({ ...task, about: { organizations: [1, 2], name: "n", junk: [[]] } }, input);
  for (const wrong of ["", "{", "NaN"]) answerer.task({ ...task, id: 2 }, encoder.encode(wrong));
  answerer.task({ ...task, id: 3, about: { organizations: [4, 4] } }, input);
  await waitFor(() => answerer.sent.length === 5, { what: "the answers" });
  assert.deepEqual(made, [{ organizations: [1, 2], name: "n", input }]);
  const said = (id: number) =>
    answerer.sent.filter((one) => one.id === id).map((one) =>
      "error" in one ? one.error : one.value
    );
  assert.deepEqual(said(1), [{ id: 1 }]);
  assert.deepEqual(said(2), Array(3).fill("createTask() cannot take that: input: must be JSON."));
  assert.match(String(said(3)), /organizations: must name each once/);
});

Deno.test("createAnswerer() has no room while a subtask with a large input is being made", async () => {
  const making = Promise.withResolvers<{ id: number }>();
  const answerer = open({ createTask: () => making.promise });
  answerer.task(task, encoder.encode("1"));
  await answerer.whenRoom();
  answerer.task(task, new Uint8Array(100_000).fill(0x31));
  let room = false;
  const waiting = answerer.whenRoom().then(() => room = true);
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(room, false);
  making.reject(new Error("refused"));
  await waiting;
});
