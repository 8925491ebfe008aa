import assert from "node:assert/strict";
import { messageOf } from "./errors.ts";

Deno.test("messageOf() says why a fetch failed", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const error = await fetch(`http://127.0.0.1:${port}/`).then(() => undefined, (thrown) => thrown);
  assert.match(messageOf(error), /^client error \(Connect\): .*Connection refused/);
});
