import assert from "node:assert/strict";
import { freePort, portIsFree } from "./ports.ts";

Deno.test("freePort() returns the preferred port when it is free", () => {
  const port = freePort();
  assert.equal(freePort({ preferred: port }), port);
});

Deno.test("freePort() returns another port when the preferred one is taken or promised", () => {
  const port = freePort();
  assert.notEqual(freePort({ preferred: port, except: [port] }), port);
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  try {
    assert.equal(portIsFree(port), false);
    assert.notEqual(freePort({ preferred: port }), port);
  } finally {
    listener.close();
  }
});

Deno.test("freePort() gives up with a clear error", () => {
  assert.throws(() => freePort({ except: [20_000], random: () => 0 }), /Cannot find a free port/);
});
