import assert from "node:assert/strict";
import { createLoginFirst } from "./login_first.ts";

function recorded() {
  const heard: string[] = [];
  const order = createLoginFirst((bytes) => void heard.push(new TextDecoder().decode(bytes)));
  return {
    heard,
    take: (text: string) => order.inOrder(() => order.take(new TextEncoder().encode(text))),
    event: (name: string) => order.inOrder(() => void heard.push(name)),
  };
}
/** Resolves when the timers that are due now have run. */
const laterTurn = () => new Promise<void>((resolve) => setTimeout(resolve));

Deno.test("createLoginFirst() keeps what follows the log-in for a later turn, in order", async () => {
  const { heard, take, event } = recorded();
  take("INFO {}\r\n");
  take("PONG\r\nMSG a 1 1\r\nx\r\n");
  event("error");
  event("close");
  assert.deepEqual(heard, ["INFO {}\r\n", "PONG\r\n"]);
  await laterTurn();
  assert.deepEqual(heard.slice(2), ["MSG a 1 1\r\nx\r\n", "error", "close"]);
});

Deno.test("createLoginFirst() tells of a close before the log-in at once", () => {
  const { heard, take, event } = recorded();
  take("INFO {}\r\n");
  event("close");
  assert.deepEqual(heard, ["INFO {}\r\n", "close"]);
});

Deno.test("createLoginFirst() hands on at once what comes after the log-in, another PONG too", async () => {
  const { heard, take } = recorded();
  take("PONG\r\n");
  await laterTurn();
  take("PONG\r\nMSG a 1 1\r\nx\r\n");
  assert.deepEqual(heard, ["PONG\r\n", "PONG\r\nMSG a 1 1\r\nx\r\n"]);
});
