import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { writeTogether } from "./write_together.ts";

/** A writer, and what it wrote: each write as text. */
function recorded() {
  const written: string[] = [];
  const writer = writeTogether((bytes) => void written.push(new TextDecoder().decode(bytes)));
  return { written, send: (text: string) => writer.send(bytesOf(text)), flush: writer.flush };
}
const bytesOf = (text: string) => new TextEncoder().encode(text).buffer;

Deno.test("writeTogether() writes once what is sent in one turn, in order", async () => {
  const { written, send } = recorded();
  send("a");
  send("b");
  send("c");
  assert.deepEqual(written, []);
  await setImmediate();
  send("d");
  await setImmediate();
  assert.deepEqual(written, ["abc", "d"]);
});

Deno.test("writeTogether() writes at once when much waits", async () => {
  const { written, send } = recorded();
  send("x".repeat(64 * 1024 - 1));
  assert.equal(written.length, 0);
  send("y");
  assert.equal(written.length, 1);
  await setImmediate();
  assert.equal(written.length, 1);
});

Deno.test("writeTogether() writes what waits when told to, and nothing twice", async () => {
  const { written, send, flush } = recorded();
  send("a");
  flush();
  flush();
  await setImmediate();
  assert.deepEqual(written, ["a"]);
});
