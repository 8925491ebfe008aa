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

Deno.test("freePort() stays within its range, and gives up with a clear error", () => {
  const range = "20000-20001";
  assert.equal(freePort({ range, except: [20_000], random: () => 0.9 }), 20_001);
  assert.throws(
    () => freePort({ range, except: [20_000, 20_001] }),
    /Cannot find a free port in 20000-20001/,
  );
  for (const wrong of ["", "20000", "30000-20000", "1-70000", "all"]) {
    assert.throws(() => freePort({ range: wrong }), /SEXTANT_PORTS is/, wrong);
  }
});
