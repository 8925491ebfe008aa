import assert from "node:assert/strict";
import type { LogFields } from "./log.ts";
import { logBeginnings } from "./log_beginnings.ts";

Deno.test("logBeginnings() writes the beginning of a flood, and later how much was left out", () => {
  const lines: (LogFields | undefined)[] = [];
  let clock = 0;
  const warn = logBeginnings({ warn: (_, fields) => void lines.push(fields) }, {
    burst: 3,
    perMinute: 1,
    now: () => clock,
  });
  for (let n = 0; n < 60_000; n++) warn("7", "refused", { n });
  assert.deepEqual(lines, [{ n: 0 }, { n: 1 }, { n: 2 }]);
  warn("8", "refused", { n: "another" });
  assert.deepEqual(lines.at(-1), { n: "another", lines_left_out: 59_997 });
  clock = 60_000;
  warn("7", "refused", { n: "later" });
  assert.deepEqual(lines.at(-1), { n: "later" });
});

Deno.test("logBeginnings() bounds what all parties together write", () => {
  let lines = 0;
  const warn = logBeginnings({ warn: () => void lines++ }, { burst: 3, now: () => 0 });
  for (let party = 0; party < 10_000; party++) warn(String(party), "refused");
  assert.equal(lines, 30);
});
