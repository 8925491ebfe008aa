import assert from "node:assert/strict";
import { dueAtAnswerer, dueAtAsker, RETRY_FOR_MS, whenNobodyListens } from "./due.ts";

const limits = { aliveEveryMs: 5000, silenceMs: 15_000, timeoutMs: 120_000 };
const asked = {
  began: 0,
  lastMoved: 0,
  lastHeard: 0,
  lastSent: 0,
  repeatable: false,
  taken: false,
  answering: false,
};

Deno.test("dueAtAsker() asks again for what only reads and was not heard of, and only for that", () => {
  const reads = { ...asked, repeatable: true };
  assert.equal(dueAtAsker(reads, 3000, limits), undefined);
  assert.equal(dueAtAsker(reads, 3001, limits), "ask again");
  assert.equal(dueAtAsker(asked, 3001, limits), undefined);
});

Deno.test("dueAtAsker() gives up on a service that is silent, whatever else it waits for", () => {
  for (const facts of [asked, { ...asked, taken: true }, { ...asked, answering: true }]) {
    assert.equal(dueAtAsker({ ...facts, lastSent: 15_000 }, 15_000, limits), undefined);
    assert.equal(dueAtAsker({ ...facts, lastSent: 15_000 }, 15_001, limits), "silent");
  }
});

Deno.test("dueAtAsker() gives up on an answer that does not begin, unless the request still moves on", () => {
  const heard = { ...asked, taken: true, lastHeard: 120_001, lastSent: 120_001 };
  assert.equal(dueAtAsker(heard, 120_001, limits), "too late");
  assert.equal(dueAtAsker({ ...heard, lastMoved: 60_000 }, 120_001, limits), undefined);
  assert.equal(dueAtAsker({ ...heard, answering: true }, 120_001, limits), undefined);
});

Deno.test("dueAtAsker() says that it is alive once a replica is known that could hear it", () => {
  const quiet = { ...asked, lastHeard: 5000 };
  assert.equal(dueAtAsker({ ...quiet, taken: true }, 4999, limits), undefined);
  assert.equal(dueAtAsker({ ...quiet, taken: true }, 5000, limits), "say alive");
  assert.equal(dueAtAsker(quiet, 5000, limits), undefined);
});

Deno.test("whenNobodyListens() sends a request again for a while, and gives up on a replica at once", () => {
  const waiting = { waitsForReplica: true, began: 100 };
  assert.equal(whenNobodyListens(waiting, 100 + RETRY_FOR_MS), "send again");
  assert.equal(whenNobodyListens(waiting, 101 + RETRY_FOR_MS), "give up");
  assert.equal(whenNobodyListens({ ...waiting, waitsForReplica: false }, 100), "replica gone");
});

Deno.test("dueAtAnswerer() says that it is alive within one tick, then in each interval", () => {
  const taken = { told: false, lastHeard: 0, lastSent: 0 };
  assert.equal(dueAtAnswerer(taken, 999, limits), undefined);
  assert.equal(dueAtAnswerer(taken, 1000, limits), "say alive");
  assert.equal(dueAtAnswerer({ ...taken, told: true }, 4999, limits), undefined);
  assert.equal(dueAtAnswerer({ ...taken, told: true }, 5000, limits), "say alive");
});

Deno.test("dueAtAnswerer() gives up on a silent asker, but only on one who knows that it must speak", () => {
  const told = { told: true, lastHeard: 0, lastSent: 15_001 };
  assert.equal(dueAtAnswerer(told, 15_000, limits), undefined);
  assert.equal(dueAtAnswerer(told, 15_001, limits), "silent");
  assert.equal(dueAtAnswerer({ ...told, told: false }, 15_001, limits), undefined);
});
