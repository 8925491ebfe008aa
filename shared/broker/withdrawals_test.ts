import assert from "node:assert/strict";
import { changed, LONGEST_NODE_CREDENTIAL, MOST_WITHDRAWN } from "./withdrawals.ts";
import { encodeAppAccount, newTrust } from "./trust.ts";

const NOW = 1_800_000_000;
const list = (entries: Record<string, number>) => new Map(Object.entries(entries));

Deno.test("changed() adds, drops what is over and what is older than any credential, and puts nothing back", () => {
  const before = list({ kept: NOW - 10, over: NOW - 20, old: NOW - LONGEST_NODE_CREDENTIAL });
  const add = list({ new: NOW, kept: NOW - 30 });
  assert.deepEqual(
    changed(before, { add, over: new Set(["over"]) }, NOW),
    list({ kept: NOW - 10, new: NOW }),
  );
  assert.deepEqual(changed(before, { add: list({ kept: NOW }) }, NOW).get("kept"), NOW);
});

Deno.test("the claims with a full list of withdrawals fit into what nats-server takes", async () => {
  const full: Record<string, number> = {};
  for (let n = 0; n < MOST_WITHDRAWN; n++) full[`U${String(n).padStart(55, "A")}`] = NOW;
  assert.ok((await encodeAppAccount(await newTrust(), full)).length < 1_048_576 - 10_000);
});
